//! An upload job: the photos that came in one request, and whether all of them are at an end.

mod status;

use serde::{Deserialize, Serialize};

pub use status::{JobCounts, JobStatus};

use crate::{EventId, JobId, UserId};

/// An upload job as the fold of its events. Its status is not here: that is a function of its photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadJob {
    /// Names the job.
    pub id: JobId,
    /// Whose it is.
    pub owner: UserId,
    /// How many photos it brought.
    pub photo_count: u32,
    /// 1 at first; each retry after completion begins another.
    pub round: u32,
    /// Whether the owner gave the whole job up.
    pub cancelled: bool,
    /// How the present round ended, once it has.
    pub outcome: Option<JobOutcome>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobOutcome {
    /// The job's terminal status.
    pub status: JobStatus,
    /// How many photos ended in which way.
    pub counts: JobCounts,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum JobEvent {
    /// Files were promised together.
    UploadJobCreated {
        /// Names the job.
        job: JobId,
        /// Whose it is.
        owner: UserId,
        /// How many photos it brought.
        photo_count: u32,
        /// Their length together, as promised.
        bytes_total: u64,
    },
    /// All photos are at an end.
    UploadJobCompleted {
        /// Which round ended.
        round: u32,
        /// The job's terminal status.
        status: JobStatus,
        /// How many photos ended in which way.
        counts: JobCounts,
    },
    /// A photo of a completed job is tried again.
    UploadJobReopened {
        /// The round that begins.
        round: u32,
    },
    /// The owner gave the whole job up; its photos follow one by one.
    UploadJobCancelled {},
}

/// A command that a job's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Completing takes a job whose photos are all at an end.
    #[error("the job has photos that are not at an end")]
    NotTerminal,
    /// The round has ended already.
    #[error("the round has ended already")]
    AlreadyCompleted,
    /// Reopening takes a job that has ended.
    #[error("the job is open")]
    NotCompleted,
    /// It was cancelled before.
    #[error("the job is cancelled already")]
    AlreadyCancelled,
}

/// Why events don't fold into a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job's stream begins with UploadJobCreated")]
pub struct FoldError;

impl UploadJob {
    /// A new job's first event.
    pub const fn create(job: JobId, owner: UserId, photo_count: u32, bytes_total: u64) -> JobEvent {
        JobEvent::UploadJobCreated {
            job,
            owner,
            photo_count,
            bytes_total,
        }
    }

    /// Ends the round.
    ///
    /// # Errors
    /// When a photo is not at an end, or the round has ended already.
    pub fn complete(&self, counts: JobCounts) -> Result<JobEvent, JobError> {
        if self.outcome.is_some() {
            return Err(JobError::AlreadyCompleted);
        }
        let status = JobStatus::of(&counts);
        if !status.is_terminal() {
            return Err(JobError::NotTerminal);
        }
        Ok(JobEvent::UploadJobCompleted {
            round: self.round,
            status,
            counts,
        })
    }

    /// Begins the next round, because a photo is tried again.
    ///
    /// # Errors
    /// When the present round has not ended.
    pub const fn reopen(&self) -> Result<JobEvent, JobError> {
        if self.outcome.is_none() {
            return Err(JobError::NotCompleted);
        }
        Ok(JobEvent::UploadJobReopened {
            round: self.round + 1,
        })
    }

    /// Gives the whole job up.
    ///
    /// # Errors
    /// When it was given up before, or has ended.
    pub const fn cancel(&self) -> Result<JobEvent, JobError> {
        if self.cancelled {
            return Err(JobError::AlreadyCancelled);
        }
        if self.outcome.is_some() {
            return Err(JobError::AlreadyCompleted);
        }
        Ok(JobEvent::UploadJobCancelled {})
    }

    /// The identifier of the event that ends a round: whoever writes it, it is written once.
    pub fn completion_id(job: JobId, round: u32) -> EventId {
        EventId::derived(&["UploadJobCompleted", &job.to_string(), &round.to_string()])
    }

    /// The identifier of the event that begins a round.
    pub fn reopening_id(job: JobId, round: u32) -> EventId {
        EventId::derived(&["UploadJobReopened", &job.to_string(), &round.to_string()])
    }

    /// The job that a stream's first event makes.
    ///
    /// # Errors
    /// When it is not `UploadJobCreated`.
    pub const fn begin(first: &JobEvent) -> Result<Self, FoldError> {
        let JobEvent::UploadJobCreated {
            job,
            owner,
            photo_count,
            ..
        } = first
        else {
            return Err(FoldError);
        };
        Ok(Self {
            id: *job,
            owner: *owner,
            photo_count: *photo_count,
            round: 1,
            cancelled: false,
            outcome: None,
        })
    }

    /// The job that a whole stream makes.
    ///
    /// # Errors
    /// When the stream is empty or begins with another event.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a JobEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let job = Self::begin(events.next().ok_or(FoldError)?)?;
        Ok(events.fold(job, Self::apply))
    }

    /// The job after one more event. An event is a fact: it is never refused.
    pub const fn apply(mut self, event: &JobEvent) -> Self {
        match event {
            // A stream has one beginning; a second one would tell nothing new.
            JobEvent::UploadJobCreated { .. } => {}
            JobEvent::UploadJobCompleted { status, counts, .. } => {
                self.outcome = Some(JobOutcome {
                    status: *status,
                    counts: *counts,
                });
            }
            JobEvent::UploadJobReopened { round } => {
                self.round = *round;
                self.outcome = None;
                // A photo that its owner tries again shall not be cancelled by what was said before.
                self.cancelled = false;
            }
            JobEvent::UploadJobCancelled {} => self.cancelled = true,
        }
        self
    }
}
