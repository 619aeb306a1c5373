use async_trait::async_trait;
use rapidphoto_domain::{
    JobId, PhotoId, StreamId, UserId, Version, job::UploadJob, photo::Photo, user::User,
};
use serde::{Deserialize, Serialize};

use super::Unavailable;

/// A value as it was at a version of its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The stream's version.
    pub version: Version,
    /// The value.
    pub value: T,
}

/// The state that a stream's events fold to; the state row holds it, `admin verify` compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AggregateState {
    /// A photo.
    Photo(Box<Photo>),
    /// An upload job.
    Job(UploadJob),
    /// A user.
    User(User),
}

/// Loads aggregates for decisions.
#[async_trait]
pub trait Aggregates: Send + Sync {
    /// A photo, whoever owns it; deleted ones too.
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable>;

    /// A job, whoever owns it.
    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable>;

    /// A user.
    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable>;

    /// All photos of a job, deleted ones too, in the order of their ids, read at one moment.
    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable>;
}

/// One row of state, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateRow {
    /// Whose state it is.
    pub stream: StreamId,
    /// The version that the row says it has.
    pub version: Version,
    /// The state.
    pub state: AggregateState,
}

/// Walks over all state rows, for verification.
#[async_trait]
pub trait StateRows: Send + Sync {
    /// Up to `limit` rows that follow `after` in the order of [`StreamId`], from the beginning without it.
    async fn state_rows(
        &self,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<AggregateRow>, Unavailable>;

    /// How many streams have events; more than there are rows means that a row is missing.
    async fn stream_count(&self) -> Result<u64, Unavailable>;
}
