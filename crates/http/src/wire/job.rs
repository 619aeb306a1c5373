use std::time::Duration;

use rapidphoto_api_types as api;
use rapidphoto_application::{
    jobs::{JobSnapshot, ListedJob},
    ports::PhotoView,
};
use rapidphoto_domain::{job::JobStatus, values::Progress};

use super::{
    reason::{reasons, warnings},
    status::{job_status, photo_status, progress, status_reason},
};

/// Snapshot of a job and its photos. `cursor` is the text of its position for the client.
pub(crate) fn job_snapshot(snapshot: &JobSnapshot, cursor: String, poll_after: Duration) -> api::JobSnapshot {
    let JobSnapshot {
        view,
        status,
        counts,
        version: _,
        progress: uploads,
    } = snapshot;
    let total = snapshot.total_progress();
    api::JobSnapshot {
        job_id: view.id.to_string(),
        status: job_status(*status),
        status_reason: status_reason(*status, counts),
        cursor,
        created_at: view.created_at,
        updated_at: view.updated_at,
        total_count: counts.total(),
        completed_count: counts.completed,
        failed_count: counts.failed,
        rejected_count: counts.rejected,
        cancelled_count: counts.cancelled,
        bytes_total: total.bytes_total(),
        bytes_sent: total.bytes_sent(),
        percent: total.percent(),
        poll_after_ms: poll_after_ms(*status, poll_after),
        photos: view
            .photos
            .iter()
            .zip(uploads)
            .map(|(view, upload)| photo_snapshot(view, *upload))
            .collect(),
    }
}

/// Job of a list.
pub(crate) fn job_summary(listed: &ListedJob, poll_after: Duration) -> api::JobSummary {
    let ListedJob { job, progress } = listed;
    let (status, counts) = (job.status(), &job.counts);
    api::JobSummary {
        job_id: job.id.to_string(),
        status: job_status(status),
        status_reason: status_reason(status, counts),
        created_at: job.created_at,
        updated_at: job.updated_at,
        total_count: counts.total(),
        completed_count: counts.completed,
        failed_count: counts.failed,
        rejected_count: counts.rejected,
        cancelled_count: counts.cancelled,
        bytes_total: progress.bytes_total(),
        bytes_sent: progress.bytes_sent(),
        percent: progress.percent(),
        poll_after_ms: poll_after_ms(status, poll_after),
    }
}

fn poll_after_ms(status: JobStatus, poll_after: Duration) -> u64 {
    if status.is_terminal() {
        return 0;
    }
    u64::try_from(poll_after.as_millis()).unwrap_or(u64::MAX)
}

fn photo_snapshot(view: &PhotoView, upload: Progress) -> api::PhotoSnapshot {
    let photo = &view.photo;
    api::PhotoSnapshot {
        photo_id: photo.id.to_string(),
        upload_id: photo.upload_id.to_string(),
        filename: view.filename.to_string(),
        status: photo_status(photo.status()),
        version: view.version.0,
        bytes: photo.declared.bytes,
        progress: progress(upload),
        reasons: reasons(&photo.state),
        warnings: warnings(&photo.state),
        updated_at: view.updated_at,
    }
}
