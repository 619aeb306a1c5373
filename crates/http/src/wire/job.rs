use std::time::Duration;

use rapidphoto_api_types as api;
use rapidphoto_application::{jobs::JobSnapshot, ports::PhotoView};
use rapidphoto_domain::values::Progress;
use sha2::{Digest, Sha256};

use super::{
    job_status, photo_status, progress,
    reason::{reasons, warnings},
};

/// A job as it stands.
pub(crate) fn job_snapshot(snapshot: &JobSnapshot, poll_after: Duration) -> api::JobSnapshot {
    let JobSnapshot {
        view,
        status,
        counts,
        progress: uploads,
    } = snapshot;
    let total = snapshot.total_progress();
    let wait = if status.is_terminal() {
        Duration::ZERO
    } else {
        poll_after
    };
    api::JobSnapshot {
        job_id: view.id.to_string(),
        status: job_status(*status),
        cursor: view.cursor.to_string(),
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
        poll_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        photos: view
            .photos
            .iter()
            .zip(uploads)
            .map(|(view, upload)| photo_snapshot(view, *upload))
            .collect(),
    }
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

/// The entity tag of a snapshot: a hash of everything in it but the cursor.
///
/// The log's end moves with whatever happens anywhere, so that a tag that heeded it would never match. An older cursor
/// serves as well: nothing of this job lies between the two. Since two snapshots with one tag may thus differ in their
/// bytes, the tag is a weak one.
pub(crate) fn job_view_tag(snapshot: &api::JobSnapshot) -> Result<String, serde_json::Error> {
    let timeless = api::JobSnapshot {
        cursor: String::new(),
        ..snapshot.clone()
    };
    let hash = Sha256::digest(serde_json::to_vec(&timeless)?);
    Ok(format!("W/\"{}\"", hex::encode(hash)))
}
