//! What clients ask: one file for each endpoint.

mod conditional;
pub(crate) mod download_url;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod job_events;
pub(crate) mod list_photos;
pub(crate) mod photo;
mod sort;
pub(crate) mod user_events;
