//! Conversion of use-case results to the wire types of `rapidphoto-api-types`.

mod history;
mod job;
mod job_item;
mod photo;
mod reason;
mod status;

pub(crate) use history::history;
pub(crate) use job::{job_snapshot, job_summary};
pub(crate) use job_item::job_item;
pub(crate) use photo::photo;
pub(crate) use reason::{failure, finding};
pub(crate) use status::{job_status, photo_status, progress};
