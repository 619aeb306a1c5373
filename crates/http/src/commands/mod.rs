//! What clients tell the server to do: one file for each endpoint.

pub(crate) mod cancel_job;
pub(crate) mod create_job;
pub(crate) mod delete_photo;
pub(crate) mod finalize_upload;
pub(crate) mod log_in;
pub(crate) mod log_out;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod report_progress;
pub(crate) mod stream_ticket;
