//! Creation of upload jobs from declared files.

mod command;
mod handler;
mod idempotency;
mod planning;

pub use command::{CreateJob, CreateJobError, CreatedJob, JobItem};
pub use handler::CreateJobHandler;
