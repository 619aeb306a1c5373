use std::fmt;

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventId, JobId, PhotoId, StreamId, Timestamp, UserId, Version,
    values::{Email, Filename, UploadId},
};

use super::{
    Advance, AggregateState, Cursor, EventMetadata, NonEmpty, PasswordHash, PhotoMetadata, Unavailable,
    WorkKind, WorkOrder,
};

/// The one way to write: events, states, work, details and positions go in together or not at all.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes all of `commit` or none of it. The store never retries by itself: the caller knows what a conflict means.
    ///
    /// A commit whose event ids are all stored already, each in the same stream at the same version, is an ambiguous
    /// commit tried again: it succeeds and changes nothing.
    ///
    /// # Errors
    /// [`CommitError`]; after `Unavailable` the commit may or may not stand.
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError>;
}

/// Everything that one decision writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// When it was decided; every event carries it.
    pub at: Timestamp,
    /// New events and the states they lead to, at most one change for each stream.
    pub changes: Vec<Change>,
    /// What is to be done because of it, and what has been.
    pub work: Vec<WorkOrder>,
    /// The request's answer, so that a repetition gets the same.
    pub idempotency: Option<IdempotencyRecord>,
    /// Other streams that must not have moved.
    pub guards: Vec<Guard>,
    /// A subscription's position, moved with what it wrote.
    pub checkpoint: Option<Advance>,
    /// Personal data, kept where it can be erased.
    pub details: Vec<Details>,
    /// What every event of the commit carries.
    pub metadata: EventMetadata,
}

impl Commit {
    /// A commit that writes nothing yet.
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
    /// Which stream.
    pub stream: StreamId,
    /// The version that it must have.
    pub expected: Version,
    /// The new events in their order.
    pub events: NonEmpty<NewEvent>,
    /// The fold of all of the stream's events.
    pub state: AggregateState,
}

/// An event that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Names it; the same id is never stored twice.
    pub id: EventId,
    /// What happened.
    pub event: DomainEvent,
}

/// A stream that must be at a version for the commit to stand, though the commit does not write to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Which stream.
    pub stream: StreamId,
    /// The version that it must have.
    pub version: Version,
}

/// The client's name for one request, unique per user while it is kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key: 1 to 255 visible ASCII characters.
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

/// What a request led to, kept for its repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose request it was.
    pub owner: UserId,
    /// The client's name for it.
    pub key: IdempotencyKey,
    /// The SHA-256 of the request's meaning; another body under the same key is an error.
    pub fingerprint: [u8; 32],
    /// The photos that the answer lists, in order.
    pub photos: Vec<PhotoId>,
    /// The job that the answer names.
    pub job: Option<JobId>,
    /// Until when it is kept; after that the key is free.
    pub expires_at: Timestamp,
}

/// Personal data: kept apart from the log, written in the same commit, erased with the photo or the account.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// What a new photo is called.
    PhotoName {
        /// Which photo.
        photo: PhotoId,
        /// Its filename.
        filename: Filename,
    },
    /// What inspection read out of a photo.
    PhotoMetadata {
        /// Which photo.
        photo: PhotoId,
        /// What EXIF says.
        metadata: Box<PhotoMetadata>,
    },
    /// Forget all of that.
    ErasePhoto {
        /// Which photo.
        photo: PhotoId,
    },
    /// How a new user logs in.
    User {
        /// Which user.
        user: UserId,
        /// Unique among all users.
        email: Email,
        /// The password's hash.
        password_hash: PasswordHash,
    },
}

/// What a commit that stands came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The position of its last event; of the log's end where it had none.
    pub cursor: Cursor,
    /// Whether it stood already, so that nothing was written now.
    pub repeated: bool,
}

/// A stream that was not where a commit expected it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{stream} is at version {actual}, not {expected}")]
pub struct VersionConflict {
    /// Which stream.
    pub stream: StreamId,
    /// The version that the commit, or its guard, named.
    pub expected: Version,
    /// The version that the stream has.
    pub actual: Version,
}

/// Something of which there can be only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unique {
    /// An upload id of a user's photos that are not deleted.
    UploadId {
        /// Whose photo.
        owner: UserId,
        /// The client's name for the file.
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

/// Why a commit was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Streams, or guards, that moved: all of them. A deadlock of the store reads as a conflict without any.
    #[error("{} of the commit's streams have moved", .0.len())]
    Conflict(Vec<VersionConflict>),
    /// A unique name is taken.
    #[error("{0} is taken")]
    Duplicate(Unique),
    /// The work was claimed anew, ordered anew or dropped since this claim: whatever the holder did is void.
    #[error("the claim on `{kind}` of {photo} is no longer held")]
    StaleClaim {
        /// Which photo.
        photo: PhotoId,
        /// Which work.
        kind: WorkKind,
    },
    /// Another runner has the subscription, or its position is not where the commit expected it.
    #[error("the subscription's lease is no longer held")]
    StaleCheckpoint,
    /// The record can't be reached; the commit may or may not stand.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl CommitError {
    /// What a refusal comes to for a decision that can't run into it, or has run into it too often: as if the record could
    /// not be reached.
    pub fn into_unavailable(self) -> Unavailable {
        match self {
            Self::Unavailable(unavailable) => unavailable,
            other => Unavailable::database(other),
        }
    }
}
