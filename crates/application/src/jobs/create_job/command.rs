use rapidphoto_domain::{JobId, UserId, photo::PartSizeError};

use super::not_admitted::NotAdmitted;
use crate::{
    commit::{Contended, WriteError},
    jobs::new_file::{FileProblem, RawFile},
    ports::{CommitError, EventMetadata, IdempotencyKey, Unavailable},
    uploads::JobItem,
};

/// Declares a batch of files to upload.
#[derive(Debug, Clone)]
pub struct CreateJob {
    /// Owner of the job and of its photos.
    pub owner: UserId,
    /// The files, in the client's order.
    pub files: Vec<RawFile>,
    /// Transfer of the files.
    pub options: UploadOptions,
    /// Idempotency key, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Transfer of the files of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UploadOptions {
    /// Requests in which each file is sent.
    pub strategy: UploadStrategy,
    /// Size of the parts, in bytes, of files that are sent in parts; chosen by the server if `None`.
    pub part_size: Option<u64>,
    /// Completed photos of the user with the same declared checksum are returned instead of new ones.
    pub dedupe: bool,
}

/// Requests in which a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UploadStrategy {
    /// In parts if it has more than 5 MiB.
    #[default]
    Auto,
    /// In one request, unless the store can't protect objects from a second one.
    Single,
    /// In parts, at least one.
    Parts,
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
    /// The size of the parts can't be used for a file.
    #[error(transparent)]
    PartSize(#[from] PartSizeError),
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
