//! Creation of upload jobs from declared files.

mod admission;
mod command;
mod handler;
mod idempotency;
mod planning;

pub use admission::{NotAdmitted, Quota};
pub use command::{CreateJob, CreateJobError, CreatedJob, JobItem};
pub use handler::CreateJobHandler;
