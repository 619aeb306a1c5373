//! Upload jobs: the photos created by one request. A job completes when all of its photos are terminal.

mod status;

use serde::{Deserialize, Serialize};

pub use status::{JobCounts, JobStatus};

use crate::id::{EventId, JobId, UserId};

/// State of an upload job, folded from its events. Its status is not part of it: that is a function of its photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadJob {
    /// Identifier of the job.
    pub id: JobId,
    /// Owner of the job.
    pub owner: UserId,
    /// Number of photos in the job.
    pub photo_count: u32,
    /// Number of the current round, from 1; a retry after completion starts the next one.
    pub round: u32,
    /// True if the owner cancelled the job in this round.
    pub cancelled: bool,
    /// Outcome of the current round, once it has ended.
    pub outcome: Option<JobOutcome>,
}

/// Outcome of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobOutcome {
    /// Terminal status of the job.
    pub status: JobStatus,
    /// Number of photos by status.
    pub counts: JobCounts,
    /// Sum of the photos' retries that the outcome includes. A greater sum means that a photo was retried since: the next
    /// round begins. `None` only for the fold of an event that was stored before events carried the sum.
    pub retries: Option<u32>,
}

/// Event of an upload job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum JobEvent {
    /// The job was created with the files that a client declared.
    UploadJobCreated {
        /// Identifier of the job.
        job: JobId,
        /// Owner of the job.
        owner: UserId,
        /// Number of photos in the job.
        photo_count: u32,
        /// Sum of the declared file sizes, in bytes.
        bytes_total: u64,
    },
    /// All photos are terminal: the round has ended.
    UploadJobCompleted {
        /// Number of the round that ended.
        round: u32,
        /// Terminal status of the job.
        status: JobStatus,
        /// Number of photos by status.
        counts: JobCounts,
        /// Sum of the retries of all photos, deleted ones included; `None` in events stored before it was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retries: Option<u32>,
    },
    /// A photo of a completed job is retried: the next round starts.
    UploadJobReopened {
        /// Number of the round that starts.
        round: u32,
    },
    /// The owner cancelled the job; its photos are cancelled with it, or in chunks afterwards if they are many.
    UploadJobCancelled {},
}

/// Command rejected by the state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// A job can be completed only if all of its photos are terminal.
    #[error("the job has photos that are not terminal yet")]
    NotTerminal,
    /// The current round has already ended.
    #[error("the job's current round has already ended")]
    AlreadyCompleted,
    /// A job can be reopened only if its current round has ended.
    #[error("the job's current round has not ended yet")]
    NotCompleted,
    /// A job can be reopened only if a photo was retried since its round ended.
    #[error("no photo of the job was retried since its round ended")]
    NotRetried,
    /// The job was cancelled before in this round.
    #[error("the job is already cancelled")]
    AlreadyCancelled,
}

/// Error of folding events into a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job's stream must begin with UploadJobCreated")]
pub struct FoldError;

impl UploadJob {
    /// Returns the first event of a new job.
    pub const fn create(job: JobId, owner: UserId, photo_count: u32, bytes_total: u64) -> JobEvent {
        JobEvent::UploadJobCreated {
            job,
            owner,
            photo_count,
            bytes_total,
        }
    }

    /// Ends the current round. `retries` is the sum of the retries of all photos, deleted ones included.
    ///
    /// # Errors
    /// A photo is not terminal, or the round has already ended.
    pub fn complete(&self, counts: JobCounts, retries: u32) -> Result<JobEvent, JobError> {
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
            retries: Some(retries),
        })
    }

    /// Starts the next round, because a photo was retried: the sum of all photos' retries exceeds the outcome's.
    ///
    /// # Errors
    /// The current round has not ended, or includes all retries.
    pub fn reopen(&self, retries: u32) -> Result<JobEvent, JobError> {
        let outcome = self.outcome.ok_or(JobError::NotCompleted)?;
        if outcome.retries.is_none_or(|included| retries <= included) {
            return Err(JobError::NotRetried);
        }
        Ok(JobEvent::UploadJobReopened {
            round: self.round + 1,
        })
    }

    /// Cancels the job.
    ///
    /// # Errors
    /// The job was cancelled before in this round, or the round has ended.
    pub const fn cancel(&self) -> Result<JobEvent, JobError> {
        if self.cancelled {
            return Err(JobError::AlreadyCancelled);
        }
        if self.outcome.is_some() {
            return Err(JobError::AlreadyCompleted);
        }
        Ok(JobEvent::UploadJobCancelled {})
    }

    /// Identifier of the event that ends a round. It is deterministic, so that concurrent writers write the event once.
    pub fn completion_id(job: JobId, round: u32) -> EventId {
        EventId::derived(&["UploadJobCompleted", &job.to_string(), &round.to_string()])
    }

    /// Identifier of the event that starts a round; deterministic as in [`UploadJob::completion_id`].
    pub fn reopening_id(job: JobId, round: u32) -> EventId {
        EventId::derived(&["UploadJobReopened", &job.to_string(), &round.to_string()])
    }

    /// State after the first event of a stream.
    ///
    /// # Errors
    /// The event is not `UploadJobCreated`.
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

    /// State after all events of a stream.
    ///
    /// # Errors
    /// The stream is empty or begins with another event.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a JobEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let job = Self::begin(events.next().ok_or(FoldError)?)?;
        Ok(events.fold(job, Self::apply))
    }

    /// State after one more event. Events are facts: applying one never fails.
    pub const fn apply(mut self, event: &JobEvent) -> Self {
        match event {
            // Only the first event of a stream creates the job; a later one changes nothing.
            JobEvent::UploadJobCreated { .. } => {}
            JobEvent::UploadJobCompleted {
                status,
                counts,
                retries,
                ..
            } => {
                self.outcome = Some(JobOutcome {
                    status: *status,
                    counts: *counts,
                    retries: *retries,
                });
            }
            JobEvent::UploadJobReopened { round } => {
                self.round = *round;
                self.outcome = None;
                // A cancellation in an earlier round must not cancel a photo that the owner retries.
                self.cancelled = false;
            }
            JobEvent::UploadJobCancelled {} => self.cancelled = true,
        }
        self
    }
}
