use std::{fmt, str::FromStr};

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventDecodeError, EventId, JobId, StreamId, StreamType, Timestamp, UserId, Version,
};

use super::{EventMetadata, Unavailable};

/// Position in the log. The order of positions is the order in which events become readable. Opaque to callers, who may
/// only store, compare and pass it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    epoch: u64,
    position: u64,
}

/// Error for text that is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log cursor")]
pub struct CursorError;

impl Cursor {
    /// Position before the first event.
    pub const START: Self = Self {
        epoch: 0,
        position: 0,
    };

    /// Creates a cursor in an adapter. `epoch` is the transaction that wrote the event if positions alone are not in
    /// commit order, else 0.
    pub const fn new(epoch: u64, position: u64) -> Self {
        Self { epoch, position }
    }

    /// Transaction that wrote the event; 0 if positions are in commit order.
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// Position in the log.
    pub const fn position(self) -> u64 {
        self.position
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.epoch, self.position)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(raw: &str) -> Result<Self, CursorError> {
        let number = |digits: &str| {
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex {
                u64::from_str_radix(digits, 16).map_err(|_| CursorError)
            } else {
                Err(CursorError)
            }
        };
        let (epoch, position) = raw.split_once('-').ok_or(CursorError)?;
        Ok(Self {
            epoch: number(epoch)?,
            position: number(position)?,
        })
    }
}

/// Event in the log, converted to the current schema version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Position in the log.
    pub cursor: Cursor,
    /// Identifier of the event.
    pub id: EventId,
    /// Stream of the event.
    pub stream: StreamId,
    /// Version of the stream after the event.
    pub version: Version,
    /// Owner of the stream.
    pub owner: UserId,
    /// Job of the photo, or the job itself; `None` for users.
    pub job: Option<JobId>,
    /// Payload.
    pub event: DomainEvent,
    /// Actor and cause of the event.
    pub metadata: EventMetadata,
    /// Time of the decision that led to the event.
    pub occurred_at: Timestamp,
}

/// Selection of events; `None` matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Type of the stream.
    pub stream_type: Option<StreamType>,
    /// Event types: exact names, or prefixes with a final `*` such as `Photo*`. Empty: all.
    pub event_types: Vec<String>,
    /// Owner of the stream.
    pub owner: Option<UserId>,
    /// Job of the event.
    pub job: Option<JobId>,
}

impl EventFilter {
    /// Returns true if an event with these properties is selected.
    pub fn matches(
        &self,
        stream_type: StreamType,
        event_type: &str,
        owner: UserId,
        job: Option<JobId>,
    ) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => event_type.starts_with(prefix),
            None => event_type == pattern,
        };
        self.stream_type.is_none_or(|expected| expected == stream_type)
            && (self.event_types.is_empty() || self.event_types.iter().any(matches))
            && self.owner.is_none_or(|expected| expected == owner)
            && self.job.is_none_or(|expected| Some(expected) == job)
    }
}

/// Page of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// Selected events, in order.
    pub events: Vec<StoredEvent>,
    /// Position up to which the log was read, so that a reader advances even if few events match.
    pub scanned_to: Cursor,
    /// True if the end of the readable part of the log was reached.
    pub at_end: bool,
    /// True if events after the readable part are stored: they are held back until an earlier commit in progress ends,
    /// which sends no signal if it is another process's or fails. A reader at the end then reads again within
    /// milliseconds. False on adapters whose commits never overlap.
    pub held: bool,
}

/// Reasons why the log can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The type or the payload of a stored event is unknown to this version of the program.
    #[error("the log contains an event that this version of the program can't decode")]
    Unknown(#[source] EventDecodeError),
    /// A newer version of the program wrote a stored event.
    #[error(
        "`{event_type}` is stored with schema version {stored}, but this version of the program supports at most {known}"
    )]
    NewerSchema {
        /// Stored name of the event type.
        event_type: String,
        /// Stored schema version.
        stored: u16,
        /// Newest supported schema version.
        known: u16,
    },
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Reads the event log. All reads are restricted to the deployment's namespace.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Returns the version of a stream, 0 if it does not exist.
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable>;

    /// Returns the events of a stream after a version, ordered by version.
    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError>;

    /// Returns up to `limit` selected events after a cursor. Events that become readable later are always after the
    /// page's `scanned_to`, so that a reader that continues there misses none: no event is readable while an earlier one
    /// can still be committed.
    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError>;

    /// Returns the end of the readable part of the log. It can precede the cursor of a commit that has succeeded, as long
    /// as an earlier commit is in progress.
    async fn head(&self) -> Result<Cursor, Unavailable>;

    /// Returns the number of a user's events after a cursor, or of those of one job, at most `limit`; `None` if the cursor
    /// is beyond the end, so that it can't be from this log.
    async fn count_events_after(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
        limit: u64,
    ) -> Result<Option<u64>, Unavailable>;
}
