use rapidphoto_api_types as api;
use rapidphoto_domain::{
    job::{JobCounts, JobStatus},
    photo::PhotoStatus,
    values::Progress,
};

pub(crate) const fn photo_status(status: PhotoStatus) -> api::PhotoStatus {
    match status {
        PhotoStatus::Queued => api::PhotoStatus::Queued,
        PhotoStatus::Uploading => api::PhotoStatus::Uploading,
        PhotoStatus::Verifying => api::PhotoStatus::Verifying,
        PhotoStatus::Processing => api::PhotoStatus::Processing,
        PhotoStatus::Completed => api::PhotoStatus::Completed,
        PhotoStatus::Rejected => api::PhotoStatus::Rejected,
        PhotoStatus::Failed => api::PhotoStatus::Failed,
        PhotoStatus::Cancelled => api::PhotoStatus::Cancelled,
    }
}

pub(crate) const fn job_status(status: JobStatus) -> api::JobStatus {
    match status {
        JobStatus::Queued => api::JobStatus::Queued,
        JobStatus::InProgress => api::JobStatus::InProgress,
        JobStatus::Completed => api::JobStatus::Completed,
        JobStatus::CompletedWithErrors => api::JobStatus::CompletedWithErrors,
        JobStatus::Failed => api::JobStatus::Failed,
        JobStatus::Cancelled => api::JobStatus::Cancelled,
    }
}

/// Explanation of a status that tells of photos that did not complete.
pub(super) const fn status_reason(status: JobStatus, counts: &JobCounts) -> Option<api::StatusReason> {
    match status {
        JobStatus::Failed | JobStatus::CompletedWithErrors => {
            match (counts.rejected > 0, counts.failed > 0) {
                (true, false) => Some(api::StatusReason::PhotosRejected),
                (false, true) => Some(api::StatusReason::PhotosFailed),
                (true, true) => Some(api::StatusReason::PhotosRejectedAndFailed),
                (false, false) => None,
            }
        }
        JobStatus::Queued | JobStatus::InProgress | JobStatus::Completed | JobStatus::Cancelled => None,
    }
}

pub(crate) const fn progress(progress: Progress) -> api::Progress {
    api::Progress {
        bytes_sent: progress.bytes_sent(),
        bytes_total: progress.bytes_total(),
        percent: progress.percent(),
    }
}
