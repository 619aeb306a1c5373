use std::collections::BTreeSet;

use async_trait::async_trait;
use rapidphoto_domain::{
    JobId, PhotoId, StreamId, UserId, Version, job::UploadJob, photo::Photo, user::User,
};
use serde::{Deserialize, Serialize};

use super::{Unavailable, Usage};

/// State of an aggregate at a version of its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// Version of the stream.
    pub version: Version,
    /// State at that version.
    pub value: T,
}

/// A photo and the trace that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct TracedPhoto {
    /// The photo.
    pub photo: Versioned<Photo>,
    /// W3C trace context of the photo's first event, hence of the request that declared it.
    pub traceparent: Option<String>,
}

/// Fold of a stream's events. It is stored in the stream's state row, and `admin verify` compares the two.
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

/// Loads the current state of aggregates.
#[async_trait]
pub trait Aggregates: Send + Sync {
    /// Returns a photo of any owner, even if it is deleted.
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable>;

    /// Returns a photo like [`photo`](Self::photo), with its trace.
    async fn traced_photo(&self, id: PhotoId) -> Result<Option<TracedPhoto>, Unavailable>;

    /// Returns a job of any owner.
    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable>;

    /// Returns a user.
    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable>;

    /// Returns all photos of a job including deleted ones, ordered by id, from one consistent snapshot.
    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable>;

    /// Returns those of `jobs` that have a photo which is not terminal. Costs one index look-up for each job.
    async fn open_jobs(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, Unavailable>;
}

/// Loads a photo that must exist; it may be deleted.
pub(crate) async fn existing_photo(aggregates: &dyn Aggregates, id: PhotoId) -> Result<Photo, Unavailable> {
    let photo = aggregates.photo(id).await?;
    photo
        .map(|photo| photo.value)
        .ok_or_else(|| Unavailable::database(format!("the photo {id} is not in the database")))
}

/// Stored state row of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateRow {
    /// Stream of the row.
    pub stream: StreamId,
    /// Version that is stored in the row.
    pub version: Version,
    /// Stored state.
    pub state: AggregateState,
}

/// Difference between a photo's tags and the index of photos by tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMismatch {
    /// Photo of the entry.
    pub photo: PhotoId,
    /// Label of the entry.
    pub label: String,
    /// True if the photo has the tag and the index lacks it, false if the index has an entry that it should not have.
    pub missing: bool,
}

/// Stored usage of a user's quotas that differs from that of the photos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageMismatch {
    /// The user.
    pub owner: UserId,
    /// Stored usage; its day is the last one on which photos were created, stored or in fact.
    pub stored: Usage,
    /// Usage counted from the photos, of the same day.
    pub counted: Usage,
}

/// Reads all state rows, for verification.
#[async_trait]
pub trait StateRows: Send + Sync {
    /// Returns up to `limit` rows after `after` in the order of [`StreamId`], or the first ones if it is `None`.
    async fn state_rows(
        &self,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<AggregateRow>, Unavailable>;

    /// Number of streams with events. If it exceeds the number of rows, a row is missing.
    async fn stream_count(&self) -> Result<u64, Unavailable>;

    /// Differences between the tags in the state rows and the index of photos by tag, from one consistent snapshot.
    async fn tag_mismatches(&self) -> Result<Vec<TagMismatch>, Unavailable>;

    /// Differences between the stored usage of quotas and the photos in the state rows, from one consistent snapshot.
    async fn usage_mismatches(&self) -> Result<Vec<UsageMismatch>, Unavailable>;
}
