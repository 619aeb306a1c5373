use std::sync::Arc;

use rapidphoto_domain::{
    JobId, UserId,
    job::{JobCounts, JobStatus},
    photo::{FailureReason, PhotoState},
    values::Progress,
};

use crate::{
    ports::{JobReads, JobView, PhotoView, Ports, Unavailable},
    progress::ProgressBoard,
};

/// A job and all of its photos at one moment, with the values that are derived from them.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSnapshot {
    /// The job and its photos as they were read.
    pub view: JobView,
    /// Status of the job.
    pub status: JobStatus,
    /// Number of photos by status.
    pub counts: JobCounts,
    /// Upload progress of each photo, in the order of the view's photos.
    pub progress: Vec<PhotoProgress>,
}

/// Upload progress of a photo.
pub type PhotoProgress = Progress;

impl JobSnapshot {
    /// Combines stored state with the progress of uploads in progress.
    pub fn of(view: JobView, board: &ProgressBoard) -> Self {
        let counts = JobCounts::of(view.photos.iter().map(|photo| photo.photo.status()));
        let status = if view.photos.is_empty() {
            JobStatus::of(&JobCounts::of(view.deleted.iter().copied()))
        } else {
            JobStatus::of(&counts)
        };
        let progress = view
            .photos
            .iter()
            .map(|photo| progress_of(photo, board))
            .collect();
        Self {
            view,
            status,
            counts,
            progress,
        }
    }

    /// Upload progress of the whole job.
    pub fn total_progress(&self) -> Progress {
        let sum = |part: fn(Progress) -> u64| self.progress.iter().copied().map(part).sum();
        Progress::new(sum(Progress::bytes_sent), sum(Progress::bytes_total))
    }
}

/// Upload progress of a photo: as its client reports while it uploads, complete once the object has arrived, zero if it
/// never will.
pub(crate) fn progress_of(view: &PhotoView, board: &ProgressBoard) -> Progress {
    let total = view.photo.declared.bytes;
    let nothing = Progress::new(0, total);
    match &view.photo.state {
        PhotoState::Queued | PhotoState::Uploading => board.progress(view.photo.id).unwrap_or(nothing),
        // The board may still have progress of it, which no longer counts.
        PhotoState::Cancelled
        | PhotoState::Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => nothing,
        PhotoState::Verifying
        | PhotoState::Processing { .. }
        | PhotoState::Completed { .. }
        | PhotoState::Rejected { .. }
        | PhotoState::Failed {
            reason: FailureReason::ProcessingError,
        } => Progress::complete(total),
    }
}

/// Reads jobs.
#[derive(Clone)]
pub struct JobSnapshotHandler {
    jobs: Arc<dyn JobReads>,
    board: Arc<ProgressBoard>,
}

impl JobSnapshotHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>) -> Self {
        Self {
            jobs: Arc::clone(&ports.database.jobs),
            board,
        }
    }

    /// A user's job; `None` if the user has no such job.
    pub async fn handle(&self, owner: UserId, job: JobId) -> Result<Option<JobSnapshot>, Unavailable> {
        let view = self.jobs.job(owner, job).await?;
        Ok(view.map(|view| JobSnapshot::of(view, &self.board)))
    }
}
