//! Uploads in progress: their URLs, their progress and their end.

mod finalize_upload;
mod report_progress;
mod upload_urls;

pub use finalize_upload::{FinalizeUpload, FinalizeUploadError, FinalizeUploadHandler};
pub use report_progress::{ReportProgress, ReportProgressHandler, Tick};
pub(crate) use upload_urls::{UploadUrls, upload_failed, upload_window};
