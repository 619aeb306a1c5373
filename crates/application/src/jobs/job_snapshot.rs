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

/// A job and all of its photos at one moment, with everything that is derived from them.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSnapshot {
    /// What was read.
    pub view: JobView,
    /// The job's status.
    pub status: JobStatus,
    /// How many photos stand where.
    pub counts: JobCounts,
    /// How far each photo's upload is, in the order of the view's photos.
    pub progress: Vec<PhotoProgress>,
}

/// How far a photo's upload is.
pub type PhotoProgress = Progress;

impl JobSnapshot {
    /// Puts together what was read and what is known of uploads under way.
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

    /// The whole job's progress.
    pub fn total_progress(&self) -> Progress {
        let sum = |part: fn(Progress) -> u64| self.progress.iter().copied().map(part).sum();
        Progress::new(sum(Progress::bytes_sent), sum(Progress::bytes_total))
    }
}

/// How far a photo's upload is: what its client told while it is sending, everything once it has arrived, nothing if it
/// never will.
pub(crate) fn progress_of(view: &PhotoView, board: &ProgressBoard) -> Progress {
    let total = view.photo.declared.bytes;
    let nothing = Progress::new(0, total);
    match &view.photo.state {
        PhotoState::Queued | PhotoState::Uploading => board.progress(view.photo.id).unwrap_or(nothing),
        // Whatever the board still knows of it: what has ended moves no more.
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

/// Answers how a job stands.
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

    /// A user's job, if there is one with this name.
    pub async fn handle(&self, owner: UserId, job: JobId) -> Result<Option<JobSnapshot>, Unavailable> {
        let view = self.jobs.job(owner, job).await?;
        Ok(view.map(|view| JobSnapshot::of(view, &self.board)))
    }
}
