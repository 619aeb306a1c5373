//! Creation of upload jobs from declared files.

mod admission;
mod command;
mod handler;
mod idempotency;
mod not_admitted;
mod planning;

pub use command::{CreateJob, CreateJobError, CreatedJob, JobItem};
pub use handler::CreateJobHandler;
pub use not_admitted::{NotAdmitted, Quota};
