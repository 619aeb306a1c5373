use std::{fmt, sync::Arc};

use rapidphoto_domain::{
    JobId, UserId,
    job::{JobCounts, JobStatus},
    values::Progress,
};

use crate::{
    ports::{Arrival, Cursor, JobReads, JobView, LastChange, PhotoView, Ports, Unavailable},
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
    /// Version of the snapshot; `None` while an older commit may still change it.
    pub version: Option<JobVersion>,
    /// Upload progress of each photo, in the order of the view's photos.
    pub progress: Vec<PhotoProgress>,
}

/// Version of a job's snapshot without its cursor: equal versions mean equal snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobVersion {
    /// Position of the last event of the job or of one of its photos.
    change: Cursor,
    /// Generation of the job's upload progress, if there is any.
    progress: Option<u64>,
}

impl JobVersion {
    const fn of(last: LastChange, progress: Option<u64>) -> Option<Self> {
        if !last.settled {
            return None;
        }
        Some(Self {
            change: last.cursor,
            progress,
        })
    }
}

impl fmt::Display for JobVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.change)?;
        self.progress
            .map_or(Ok(()), |generation| write!(f, "-{generation:x}"))
    }
}

/// Upload progress of a photo.
pub type PhotoProgress = Progress;

impl JobSnapshot {
    /// Combines stored state with the progress of uploads in progress.
    pub fn of(view: JobView, board: &ProgressBoard) -> Self {
        // Read before the progress: a tick in between changes the version once more.
        let version = JobVersion::of(view.last_change, board.generation(view.id));
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
            version,
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
    match Arrival::of(view.photo.status(), view.photo.state.failure()) {
        Arrival::Awaited => board.progress(view.photo.id).unwrap_or(nothing),
        // The board may still have progress of it, which no longer counts.
        Arrival::Never => nothing,
        Arrival::Arrived => Progress::complete(total),
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

    /// Version of a user's job, by reading one row. `None` if the user has no such job, or if an older commit may still
    /// change it.
    pub async fn version(&self, owner: UserId, job: JobId) -> Result<Option<JobVersion>, Unavailable> {
        let progress = self.board.generation(job);
        let last = self.jobs.last_change(owner, job).await?;
        Ok(last.and_then(|last| JobVersion::of(last, progress)))
    }

    /// A user's job; `None` if the user has no such job.
    pub async fn handle(&self, owner: UserId, job: JobId) -> Result<Option<JobSnapshot>, Unavailable> {
        let view = self.jobs.job(owner, job).await?;
        Ok(view.map(|view| JobSnapshot::of(view, &self.board)))
    }
}
