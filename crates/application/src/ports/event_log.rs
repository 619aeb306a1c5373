use std::{fmt, str::FromStr};

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventDecodeError, EventId, JobId, StreamId, StreamType, Timestamp, UserId, Version,
};

use super::{EventMetadata, Unavailable};

/// A position in the log's one commit-safe order. Opaque outside: it may only be stored, compared and handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    epoch: u64,
    position: u64,
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log cursor")]
pub struct CursorError;

impl Cursor {
    /// Before the first event.
    pub const START: Self = Self {
        epoch: 0,
        position: 0,
    };

    /// A position as an adapter knows it: the transaction that wrote the event, where positions alone are not in commit
    /// order (0 elsewhere), and the position.
    pub const fn new(epoch: u64, position: u64) -> Self {
        Self { epoch, position }
    }

    /// The transaction, 0 where positions are in commit order.
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// The position.
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

/// An event as it stands in the log, lifted to the present schema.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Where it stands in the log.
    pub cursor: Cursor,
    /// Names it.
    pub id: EventId,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// The stream's version with it.
    pub version: Version,
    /// Whom it concerns.
    pub owner: UserId,
    /// The job it concerns, where there is one.
    pub job: Option<JobId>,
    /// What happened.
    pub event: DomainEvent,
    /// Who and what led to it.
    pub metadata: EventMetadata,
    /// When.
    pub occurred_at: Timestamp,
}

/// Which events a reader wants; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of streams of this kind.
    pub stream_type: Option<StreamType>,
    /// Of these types: exact names, or a prefix before a final `*`, such as `Photo*`. Empty: all.
    pub event_types: Vec<String>,
    /// Concerning this user.
    pub owner: Option<UserId>,
    /// Concerning this job.
    pub job: Option<JobId>,
}

impl EventFilter {
    /// Whether an event of this type, in a stream of this kind, concerning these, is wanted.
    pub fn matches(
        &self,
        stream_type: StreamType,
        event_type: &str,
        owner: UserId,
        job: Option<JobId>,
    ) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => event_type.starts_with(prefix),
            None => event_type == pattern,
        };
        self.stream_type.is_none_or(|wanted| wanted == stream_type)
            && (self.event_types.is_empty() || self.event_types.iter().any(named))
            && self.owner.is_none_or(|wanted| wanted == owner)
            && self.job.is_none_or(|wanted| Some(wanted) == job)
    }
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events that match, in order.
    pub events: Vec<StoredEvent>,
    /// How far the log was searched: a reader whose matches are rare still advances.
    pub scanned_to: Cursor,
    /// Whether the log was searched to its end.
    pub at_end: bool,
}

/// Why the log can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A stored event is of a type or a schema that this program does not know.
    #[error("the log holds an event that this program does not know")]
    Unknown(#[source] EventDecodeError),
    /// A stored event was written by a newer program.
    #[error("`{event_type}` is stored with schema version {stored}, this program knows {known}")]
    NewerSchema {
        /// The stored type name.
        event_type: String,
        /// The version it was stored with.
        stored: u16,
        /// The newest version that is known.
        known: u16,
    },
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Reads the log. Every read is inside the deployment's namespace.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// A stream's version, 0 if it does not exist.
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable>;

    /// A stream's events after a version, in version order.
    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError>;

    /// Up to `limit` events after a cursor that match. No event that commits later ever stands before `scanned_to`.
    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError>;

    /// The log's readable end.
    async fn head(&self) -> Result<Cursor, Unavailable>;

    /// How many events stand after a cursor, counted no further than `cap`; `None` for a cursor beyond the end, which
    /// this log never gave out.
    async fn events_behind(&self, cursor: Cursor, cap: u64) -> Result<Option<u64>, Unavailable>;
}
