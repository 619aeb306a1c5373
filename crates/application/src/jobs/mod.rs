//! Upload jobs: batches of declared files.

mod cancel_job;
mod create_job;
mod job_rate;
mod job_snapshot;
mod list_jobs;
mod new_file;
mod renew_upload;
mod retry_photo;

pub use crate::uploads::JobItem;
pub(crate) use cancel_job::cancel_photos;
pub use cancel_job::{CancelJob, CancelJobError, CancelJobHandler};
pub use create_job::{
    CreateJob, CreateJobError, CreateJobHandler, CreatedJob, NotAdmitted, Quota, UploadOptions,
    UploadStrategy,
};
pub use job_rate::{JobPlace, JobPlaces, JobRate};
pub use job_snapshot::{JobSnapshot, JobSnapshotHandler, JobVersion, PhotoProgress};
pub use list_jobs::{ListJobsHandler, ListedJob};
pub use new_file::{FileProblem, NewFile, RawFile};
pub use renew_upload::{RenewUpload, RenewUploadError, RenewUploadHandler};
pub use retry_photo::{RetryPhoto, RetryPhotoError, RetryPhotoHandler};
