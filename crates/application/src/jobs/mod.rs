//! Upload jobs: batches of declared files.

mod cancel_job;
mod create_job;
mod job_snapshot;
mod list_jobs;
mod new_file;

pub(crate) use cancel_job::cancel_photos;
pub use cancel_job::{CancelJob, CancelJobError, CancelJobHandler};
pub use create_job::{CreateJob, CreateJobError, CreateJobHandler, CreatedJob, JobItem, NotAdmitted, Quota};
pub use job_snapshot::{JobSnapshot, JobSnapshotHandler, JobVersion, PhotoProgress};
pub use list_jobs::{ListJobsHandler, ListedJob};
pub use new_file::{FileProblem, NewFile, RawFile};
