use std::fmt;

use serde::{Deserialize, Serialize};

use crate::photo::PhotoStatus;

/// A job's status: a function of its photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Nothing was sent yet.
    Queued,
    /// Something is not at an end.
    InProgress,
    /// At least one photo completed, none failed or rejected.
    Completed,
    /// Some completed, some failed or were rejected.
    CompletedWithErrors,
    /// None completed, at least one failed or was rejected.
    Failed,
    /// All cancelled.
    Cancelled,
}

/// How many photos of a job stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobCounts {
    /// QUEUED
    pub queued: u32,
    /// UPLOADING, VERIFYING or PROCESSING
    pub active: u32,
    /// COMPLETED
    pub completed: u32,
    /// REJECTED
    pub rejected: u32,
    /// FAILED
    pub failed: u32,
    /// CANCELLED
    pub cancelled: u32,
}

impl JobCounts {
    /// Counts statuses.
    pub fn of(statuses: impl IntoIterator<Item = PhotoStatus>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            counts.add(status, 1);
        }
        counts
    }

    /// Counts `photos` more photos of a status.
    pub const fn add(&mut self, status: PhotoStatus, photos: u32) {
        match status {
            PhotoStatus::Queued => self.queued = self.queued.saturating_add(photos),
            PhotoStatus::Uploading | PhotoStatus::Verifying | PhotoStatus::Processing => {
                self.active = self.active.saturating_add(photos);
            }
            PhotoStatus::Completed => self.completed = self.completed.saturating_add(photos),
            PhotoStatus::Rejected => self.rejected = self.rejected.saturating_add(photos),
            PhotoStatus::Failed => self.failed = self.failed.saturating_add(photos),
            PhotoStatus::Cancelled => self.cancelled = self.cancelled.saturating_add(photos),
        }
    }

    /// All photos.
    pub const fn total(&self) -> u32 {
        self.queued
            .saturating_add(self.active)
            .saturating_add(self.completed)
            .saturating_add(self.rejected)
            .saturating_add(self.failed)
            .saturating_add(self.cancelled)
    }
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::InProgress,
        Self::Completed,
        Self::CompletedWithErrors,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The status of a job whose photos stand like this. A job without photos counts as cancelled.
    pub const fn of(counts: &JobCounts) -> Self {
        let ended = counts.completed > 0 || counts.rejected > 0 || counts.failed > 0 || counts.cancelled > 0;
        let bad = counts.rejected > 0 || counts.failed > 0;
        if counts.queued > 0 && counts.active == 0 && !ended {
            Self::Queued
        } else if counts.queued > 0 || counts.active > 0 {
            Self::InProgress
        } else if counts.completed > 0 && !bad {
            Self::Completed
        } else if counts.completed > 0 {
            Self::CompletedWithErrors
        } else if bad {
            Self::Failed
        } else {
            Self::Cancelled
        }
    }

    /// Whether the job is at an end: if and only if all of its photos are.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled => true,
        }
    }

    /// The status' name on the wire and in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
