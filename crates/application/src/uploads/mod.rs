//! Uploads in progress: their URLs, their parts, their progress and their end.

mod completion;
mod finalize_upload;
mod job_item;
mod opening;
mod part_urls;
mod report_progress;
mod sweep;
mod upload_urls;
mod uploaded_parts;

pub use completion::{CompleteUploadError, PartFault, PartFaultKind};
pub use finalize_upload::{FinalizeUpload, FinalizeUploadError, FinalizeUploadHandler};
pub use job_item::JobItem;
pub use opening::OpenUploadError;
pub(crate) use opening::Opening;
pub use part_urls::{PartUrls, PartUrlsError, PartUrlsHandler, RequestPartUrls};
pub use report_progress::{ReportProgress, ReportProgressHandler, Tick};
pub(crate) use sweep::SWEEP;
pub use sweep::UploadSweep;
pub(crate) use upload_urls::{UploadUrls, upload_failed, upload_window};
pub use uploaded_parts::{UploadedParts, UploadedPartsHandler};
