use std::{fmt, time::Duration};

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventId, JobId, PhotoId, StreamId, Timestamp, UserId, Version,
    values::{Email, Filename, UploadId},
};

use super::{
    Advance, AggregateState, Cursor, EventMetadata, NonEmpty, PasswordHash, PhotoHashes, PhotoMetadata,
    Unavailable, WorkKind, WorkOrder,
};

/// The only port that writes events, states, work, details and subscriptions' positions: all of a commit or none of it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes all of `commit` or none of it. An adapter never retries after a conflict: the caller must decide again.
    ///
    /// A commit whose event ids are all stored already, each in the same stream at the same version, is the repetition of
    /// a commit with an unknown outcome: it succeeds and changes nothing. A commit without events is never a repetition.
    /// An empty commit succeeds once its guards are checked.
    ///
    /// # Errors
    /// [`CommitError`]; after `Unavailable` the commit may or may not be written.
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError>;
}

/// Workers are woken for work that is due within this time.
const WAKE_UP_HORIZON: Duration = Duration::from_secs(10);

/// Everything that one decision writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Time of the decision, and of every event.
    pub at: Timestamp,
    /// New events and the states they lead to, at most one change for each stream.
    pub changes: Vec<Change>,
    /// Work that is scheduled, postponed, finished or dropped.
    pub work: Vec<WorkOrder>,
    /// Stored response of the request, replayed to retries.
    pub idempotency: Option<IdempotencyRecord>,
    /// Other streams that must not have changed. Two commits of which each writes what the other guards never both
    /// succeed.
    pub guards: Vec<Guard>,
    /// A subscription's position, advanced together with what it writes.
    pub checkpoint: Option<Advance>,
    /// Personal data, stored outside the log so that it can be erased.
    pub details: Vec<Details>,
    /// Metadata of every event of the commit.
    pub metadata: EventMetadata,
}

impl Commit {
    /// Maximum number of photos that a commit changes, and of files in a job. A commit is written by one transaction, for
    /// which all other writers wait: 1 000 new photos take tens of milliseconds.
    pub const MAX_PHOTOS: usize = 1_000;
    /// Maximum number of streams that a commit changes: a job and its photos.
    pub const MAX_CHANGES: usize = Self::MAX_PHOTOS + 1;
    /// Maximum number of events in a commit: two for each stream.
    pub const MAX_EVENTS: usize = 2 * Self::MAX_CHANGES;

    /// Checks what no database could write or check; every adapter does so first.
    ///
    /// # Errors
    /// The commit is too large, or guards a stream that does not exist.
    pub fn validate(&self) -> Result<(), InvalidCommit> {
        let changes = self.changes.len();
        if changes > Self::MAX_CHANGES {
            return Err(InvalidCommit::TooManyChanges(changes));
        }
        let events = self.changes.iter().map(|change| change.events.len()).sum();
        if events > Self::MAX_EVENTS {
            return Err(InvalidCommit::TooManyEvents(events));
        }
        let new = self.guards.iter().find(|guard| guard.version == Version::NEW);
        new.map_or(Ok(()), |guard| Err(InvalidCommit::GuardOfNewStream(guard.stream)))
    }

    /// Returns true if the commit has work that is due within 10 s, for which workers are woken. They find later work by
    /// polling.
    pub fn wakes_workers(&self) -> bool {
        self.work.iter().any(|order| match order {
            WorkOrder::Schedule { due, .. } | WorkOrder::Postpone { due, .. } => {
                due.delay() <= WAKE_UP_HORIZON
            }
            WorkOrder::Finish { .. } | WorkOrder::Drop { .. } => false,
        })
    }

    /// An empty commit.
    pub const fn new(at: Timestamp, metadata: EventMetadata) -> Self {
        Self {
            at,
            changes: Vec::new(),
            work: Vec::new(),
            idempotency: None,
            guards: Vec::new(),
            checkpoint: None,
            details: Vec::new(),
            metadata,
        }
    }

    /// Returns true if the commit writes nothing; guards alone write nothing.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.work.is_empty()
            && self.idempotency.is_none()
            && self.checkpoint.is_none()
            && self.details.is_empty()
    }
}

/// One stream's new events, and the state they lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The stream.
    pub stream: StreamId,
    /// The version that the stream must have.
    pub expected: Version,
    /// The new events in their order.
    pub events: NonEmpty<NewEvent>,
    /// The fold of all of the stream's events, the new ones included.
    pub state: AggregateState,
}

/// An event to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Unique: the same id is never stored twice.
    pub id: EventId,
    /// The event.
    pub event: DomainEvent,
}

/// A stream that must be at a version for the commit to be written, though the commit does not change the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// The stream.
    pub stream: StreamId,
    /// The version that the stream must have; 0 is refused.
    pub version: Version,
}

/// Idempotency key that a client chose for one request; unique per user until its record expires.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key: 1 to 255 visible ASCII characters or spaces.
    pub fn parse(raw: &str) -> Option<Self> {
        let visible = raw.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        (visible && (1..=255).contains(&raw.len())).then(|| Self(raw.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Stored response of an idempotent request, replayed to retries until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The user who sent the request.
    pub owner: UserId,
    /// Idempotency key of the request.
    pub key: IdempotencyKey,
    /// SHA-256 of the request's fields; a different request with the same key is an error.
    pub fingerprint: [u8; 32],
    /// The photos that the response lists, in order.
    pub photos: Vec<PhotoId>,
    /// The job that the response names.
    pub job: Option<JobId>,
    /// Expiry of the record; after that the key can be reused.
    pub expires_at: Timestamp,
}

/// Personal data: kept apart from the log, written in the same commit, erased with the photo or the account.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// Filename of a new photo.
    PhotoName {
        /// The photo.
        photo: PhotoId,
        /// The filename.
        filename: Filename,
    },
    /// Metadata that inspection has read from a photo.
    PhotoMetadata {
        /// The photo.
        photo: PhotoId,
        /// The metadata.
        metadata: Box<PhotoMetadata>,
    },
    /// Hashes of a photo's content, which replace earlier ones.
    PhotoHashes {
        /// The photo.
        photo: PhotoId,
        /// The hashes.
        hashes: PhotoHashes,
    },
    /// Erases all details of a photo.
    ErasePhoto {
        /// The photo.
        photo: PhotoId,
    },
    /// Credentials of a user, which replace earlier ones.
    User {
        /// The user.
        user: UserId,
        /// Unique among all users.
        email: Email,
        /// The password's hash.
        password_hash: PasswordHash,
    },
    /// Another hash of the same password. Has no effect if the user's hash is another one by now.
    Password {
        /// The user.
        user: UserId,
        /// The hash to replace.
        replaces: PasswordHash,
        /// The new hash.
        password_hash: PasswordHash,
    },
    /// Erases the e-mail address and the password of a user.
    EraseUser {
        /// The user.
        user: UserId,
    },
}

/// Outcome of a written commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Position of its last event; a readable position of the log if it has none.
    pub cursor: Cursor,
    /// True if the commit was written before, so that nothing was written now.
    pub repeated: bool,
}

/// A stream at another version than a commit expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{stream} is at version {actual}, not {expected}")]
pub struct VersionConflict {
    /// The stream.
    pub stream: StreamId,
    /// The version that the commit, or its guard, expected.
    pub expected: Version,
    /// The version that the stream has.
    pub actual: Version,
}

/// A unique name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unique {
    /// An upload id of a user's photos that are not deleted.
    UploadId {
        /// Owner of the photo.
        owner: UserId,
        /// Upload id that the client chose for the file.
        upload_id: UploadId,
    },
    /// An e-mail address.
    Email,
    /// An idempotency key of a user.
    IdempotencyKey,
    /// An event id.
    EventId(EventId),
}

impl fmt::Display for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UploadId { upload_id, .. } => write!(f, "the upload id {upload_id}"),
            Self::Email => f.write_str("the e-mail address"),
            Self::IdempotencyKey => f.write_str("the idempotency key"),
            Self::EventId(id) => write!(f, "the event id {id}"),
        }
    }
}

/// Commit that can't be written to any database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommit {
    /// Too many streams are changed.
    #[error("the commit changes {0} streams; at most {max} are allowed, split it", max = Commit::MAX_CHANGES)]
    TooManyChanges(usize),
    /// Too many events are written.
    #[error("the commit has {0} events; at most {max} are allowed, split it", max = Commit::MAX_EVENTS)]
    TooManyEvents(usize),
    /// A stream without events has no row that a database could lock against a concurrent first event.
    #[error("{0} is guarded at version 0; only streams with events can be guarded")]
    GuardOfNewStream(StreamId),
}

/// Reason for which a commit was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The commit can't be written to any database.
    #[error(transparent)]
    Invalid(#[from] InvalidCommit),
    /// Streams of changes and guards that are at another version than expected; empty after a deadlock in the
    /// database.
    #[error("{} of the commit's streams were changed concurrently", .0.len())]
    Conflict(Vec<VersionConflict>),
    /// A unique name is taken.
    #[error("{0} is taken")]
    Duplicate(Unique),
    /// The work was claimed again, scheduled again or dropped since this claim.
    #[error("the claim on `{kind}` of {photo} is no longer held")]
    StaleClaim {
        /// The photo.
        photo: PhotoId,
        /// Kind of the work.
        kind: WorkKind,
    },
    /// Another runner has the subscription, or its position is not the one that the commit expected.
    #[error("the subscription's lease is no longer held")]
    StaleCheckpoint,
    /// The database can't be reached; the commit may or may not be written.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl CommitError {
    /// Converts the error to [`Unavailable`], for commits that can fail in no other way.
    pub fn into_unavailable(self) -> Unavailable {
        match self {
            Self::Unavailable(unavailable) => unavailable,
            other => Unavailable::database(other),
        }
    }
}
