//! Streams: one sequence of events per aggregate.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{IdError, JobId, PhotoId, UserId};

/// Number of events in a stream; 0 for a stream that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// Version of a stream that does not exist yet.
    pub const NEW: Self = Self(0);

    /// Version after `events` more events.
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0 + events)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Type of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamType {
    /// Stream of a user.
    User,
    /// Stream of an upload job.
    Job,
    /// Stream of a photo.
    Photo,
}

impl StreamType {
    /// Name in the event log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Job => "job",
            Self::Photo => "photo",
        }
    }
}

/// Identifier of a stream. Its order is the order in which commits lock streams, so that two commits to the same
/// streams never deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StreamId {
    /// Stream of a user.
    User(UserId),
    /// Stream of an upload job.
    Job(JobId),
    /// Stream of a photo.
    Photo(PhotoId),
}

/// Error of parsing a stream identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stream identifier must be the identifier of a user, a job or a photo")]
pub struct StreamIdError(#[source] IdError);

impl StreamId {
    /// Type of the stream.
    pub const fn stream_type(self) -> StreamType {
        match self {
            Self::User(_) => StreamType::User,
            Self::Job(_) => StreamType::Job,
            Self::Photo(_) => StreamType::Photo,
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Job(id) => id.fmt(f),
            Self::Photo(id) => id.fmt(f),
        }
    }
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, StreamIdError> {
        let parsed = if text.starts_with(UserId::PREFIX) {
            text.parse().map(Self::User)
        } else if text.starts_with(JobId::PREFIX) {
            text.parse().map(Self::Job)
        } else {
            text.parse().map(Self::Photo)
        };
        parsed.map_err(StreamIdError)
    }
}

impl TryFrom<String> for StreamId {
    type Error = StreamIdError;

    fn try_from(text: String) -> Result<Self, StreamIdError> {
        text.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> Self {
        id.to_string()
    }
}

impl From<UserId> for StreamId {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl From<JobId> for StreamId {
    fn from(id: JobId) -> Self {
        Self::Job(id)
    }
}

impl From<PhotoId> for StreamId {
    fn from(id: PhotoId) -> Self {
        Self::Photo(id)
    }
}
