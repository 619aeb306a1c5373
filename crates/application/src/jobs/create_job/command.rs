use rapidphoto_domain::{JobId, PhotoId, UserId, photo::PhotoStatus, values::UploadId};

use super::not_admitted::NotAdmitted;
use crate::{
    commit::{Contended, WriteError},
    jobs::new_file::{FileProblem, RawFile},
    ports::{CommitError, EventMetadata, IdempotencyKey, PresignedUrl, Unavailable},
};

/// Declares a batch of files to upload.
#[derive(Debug, Clone)]
pub struct CreateJob {
    /// Owner of the job and of its photos.
    pub owner: UserId,
    /// The files, in the client's order.
    pub files: Vec<RawFile>,
    /// Idempotency key, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Result of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedJob {
    /// The job that all items belong to; `None` if they belong to several.
    pub job: Option<JobId>,
    /// True if this request created the job.
    pub created: bool,
    /// One item for each file, in the client's order.
    pub items: Vec<JobItem>,
}

/// Result for one file.
#[derive(Debug, Clone, PartialEq)]
pub struct JobItem {
    /// The photo.
    pub photo: PhotoId,
    /// The photo's job, which may be an earlier one.
    pub job: JobId,
    /// Upload id of the file, chosen by the client.
    pub upload_id: UploadId,
    /// Status of the photo.
    pub status: PhotoStatus,
    /// Upload URL, while the photo awaits its bytes.
    pub upload: Option<PresignedUrl>,
}

/// Reason for which a batch was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateJobError {
    /// No file, or too many.
    #[error("a job has 1 to {max} files")]
    FileCount {
        /// Maximum number of files in one job.
        max: usize,
    },
    /// Files that can't be accepted: one problem each.
    #[error("{} of the files can't be accepted", .0.len())]
    Files(Vec<FileProblem>),
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The request was to be answered only if it repeats an earlier one.
    #[error("the request repeats no earlier one")]
    NotRepeated,
    /// The account was disabled or deleted after the access token was issued.
    #[error("the account is not active")]
    AccountNotActive,
    /// New photos are not accepted now.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// Other requests changed the same photos concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database or the presigner can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<WriteError> for CreateJobError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<CommitError> for CreateJobError {
    fn from(error: CommitError) -> Self {
        WriteError::from(error).into()
    }
}
