use std::{fmt, str::FromStr};

use rapidphoto_domain::{
    JobId, PhotoId, Timestamp,
    job::{JobCounts, JobStatus},
    photo::{FailureReason, PhotoStatus},
};

/// Query for a page of a user's jobs, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobListQuery {
    /// Status to filter by.
    pub status: Option<JobStatus>,
    /// Maximum number of jobs in the page.
    pub size: usize,
    /// Position after which the page starts; `None` for the first page.
    pub after: Option<JobPosition>,
}

/// Jobs that are read for a page with a filter. Their status is a function of their photos, so that all of these are read;
/// a page that finds fewer jobs than its size in so many is shorter, and has a next one.
pub const EXAMINED_JOBS: usize = 200;

impl JobListQuery {
    /// Maximum number of jobs to read for the page: with one more than its size, or than [`EXAMINED_JOBS`], it is known if
    /// there is a next page.
    pub fn jobs_to_read(&self) -> usize {
        let wanted = if self.status.is_some() {
            self.size.max(EXAMINED_JOBS)
        } else {
            self.size
        };
        wanted.saturating_add(1)
    }

    /// Page from the next jobs of the list, at most [`Self::jobs_to_read`].
    pub fn page(&self, next_jobs: Vec<JobSummary>) -> JobListPage {
        let mut page = JobListPage::default();
        let mut last = None;
        for (number, job) in next_jobs.into_iter().enumerate() {
            let wanted = self.status.is_none_or(|status| status == job.status());
            let is_beyond = number + 1 == self.jobs_to_read();
            if is_beyond || (wanted && page.items.len() >= self.size) {
                page.next = last;
                break;
            }
            last = Some(JobPosition::of(&job));
            page.items.extend(wanted.then_some(job));
        }
        page
    }
}

/// Position in a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobPosition {
    /// Time of the creation in milliseconds since 1970.
    pub created_at: i64,
    /// Identifier of the job.
    pub job: JobId,
}

impl JobPosition {
    /// Position of a job.
    pub const fn of(job: &JobSummary) -> Self {
        Self {
            created_at: job.created_at.timestamp_millis(),
            job: job.id,
        }
    }
}

impl fmt::Display for JobPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at, self.job)
    }
}

impl FromStr for JobPosition {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        let (created_at, job) = raw.split_once('.').ok_or(())?;
        Ok(Self {
            created_at: created_at.parse().map_err(|_| ())?,
            job: job.parse().map_err(|_| ())?,
        })
    }
}

/// Read model of a job without its photos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// Identifier of the job.
    pub id: JobId,
    /// Time of the creation.
    pub created_at: Timestamp,
    /// Time of the last change of the job or of one of its photos.
    pub updated_at: Timestamp,
    /// Photos that are not deleted, by status.
    pub counts: JobCounts,
    /// Deleted photos, by their last status: they determine the job's status if no other photo is left.
    pub deleted: JobCounts,
    /// Sum of the declared sizes of photos that are not deleted, in bytes.
    pub bytes: u64,
    /// Part of `bytes` of photos whose object has arrived.
    pub arrived_bytes: u64,
    /// Photos that are waiting for their object, in the order of their ids.
    pub awaited: Vec<PhotoId>,
}

/// Photos of a job with the same status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoGroup {
    /// Status of the photos.
    pub status: PhotoStatus,
    /// Reason of failed ones.
    pub failure: Option<FailureReason>,
    /// True if the photos are deleted.
    pub deleted: bool,
    /// Number of photos.
    pub photos: u32,
    /// Sum of their declared sizes in bytes.
    pub bytes: u64,
    /// Time of the last change of one of them.
    pub updated_at: Timestamp,
    /// Ids of the photos, if their objects are awaited.
    pub awaited: Vec<PhotoId>,
}

impl JobSummary {
    /// A job without photos.
    pub fn new(id: JobId, created_at: Timestamp, updated_at: Timestamp) -> Self {
        Self {
            id,
            created_at,
            updated_at,
            counts: JobCounts::default(),
            deleted: JobCounts::default(),
            bytes: 0,
            arrived_bytes: 0,
            awaited: Vec::new(),
        }
    }

    /// Adds photos.
    pub fn add(&mut self, group: PhotoGroup) {
        self.updated_at = self.updated_at.max(group.updated_at);
        if group.deleted {
            self.deleted.add(group.status, group.photos);
            return;
        }
        self.counts.add(group.status, group.photos);
        self.bytes = self.bytes.saturating_add(group.bytes);
        match Arrival::of(group.status, group.failure) {
            Arrival::Arrived => self.arrived_bytes = self.arrived_bytes.saturating_add(group.bytes),
            Arrival::Awaited => {
                self.awaited.extend(group.awaited);
                self.awaited.sort_unstable();
            }
            Arrival::Never => {}
        }
    }

    /// Status of the job.
    pub const fn status(&self) -> JobStatus {
        JobStatus::of(if self.counts.total() == 0 {
            &self.deleted
        } else {
            &self.counts
        })
    }
}

/// Arrival of a photo's object in storage, as far as its status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The client may still upload it.
    Awaited,
    /// The object has arrived.
    Arrived,
    /// No object will arrive, unless the photo is retried.
    Never,
}

impl Arrival {
    /// Arrival of the object of a photo with this status. `failure` is the reason of a failed one.
    pub const fn of(status: PhotoStatus, failure: Option<FailureReason>) -> Self {
        match status {
            PhotoStatus::Queued | PhotoStatus::Uploading => Self::Awaited,
            PhotoStatus::Cancelled => Self::Never,
            PhotoStatus::Failed => match failure {
                Some(FailureReason::UploadMissing | FailureReason::UploadExpired) => Self::Never,
                Some(FailureReason::ProcessingError) | None => Self::Arrived,
            },
            PhotoStatus::Verifying
            | PhotoStatus::Processing
            | PhotoStatus::Completed
            | PhotoStatus::Rejected => Self::Arrived,
        }
    }
}

/// Page of a list of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobListPage {
    /// Jobs of the page.
    pub items: Vec<JobSummary>,
    /// Position after which the next page starts; `None` at the end.
    pub next: Option<JobPosition>,
}
