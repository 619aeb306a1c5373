//! Uploads under way: how far they are, and that they are done.

mod finalize_upload;
mod report_progress;

pub use finalize_upload::{FinalizeUpload, FinalizeUploadError, FinalizeUploadHandler};
pub use report_progress::{ReportProgress, ReportProgressHandler, Tick};
