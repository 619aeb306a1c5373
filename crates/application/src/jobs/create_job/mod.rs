//! Creation of upload jobs from declared files.

mod admission;
mod command;
mod handler;
mod idempotency;
mod not_admitted;
mod planning;

pub(super) use admission::Admission;
pub use command::{CreateJob, CreateJobError, CreatedJob, UploadOptions, UploadStrategy};
pub use handler::CreateJobHandler;
pub use not_admitted::{NotAdmitted, Quota};
