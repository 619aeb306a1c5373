use std::fmt;

use serde::{Deserialize, Serialize};

use crate::photo::PhotoStatus;

/// Status of a job, computed from the statuses of its photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// All photos are QUEUED.
    Queued,
    /// At least one photo is not terminal.
    InProgress,
    /// All photos are terminal: at least one COMPLETED, none FAILED or REJECTED.
    Completed,
    /// All photos are terminal: some COMPLETED, some FAILED or REJECTED.
    CompletedWithErrors,
    /// All photos are terminal: none COMPLETED, at least one FAILED or REJECTED.
    Failed,
    /// All photos are CANCELLED.
    Cancelled,
}

/// Number of photos of a job, by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobCounts {
    /// QUEUED photos.
    pub queued: u32,
    /// UPLOADING, VERIFYING and PROCESSING photos.
    pub active: u32,
    /// COMPLETED photos.
    pub completed: u32,
    /// REJECTED photos.
    pub rejected: u32,
    /// FAILED photos.
    pub failed: u32,
    /// CANCELLED photos.
    pub cancelled: u32,
}

impl JobCounts {
    /// Counts photos by status.
    pub fn of(statuses: impl IntoIterator<Item = PhotoStatus>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            counts.add(status, 1);
        }
        counts
    }

    /// Adds `photos` photos with a status.
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

    /// Number of all photos.
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
    /// All statuses.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::InProgress,
        Self::Completed,
        Self::CompletedWithErrors,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Status of a job with these photos. A job without photos counts as cancelled.
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

    /// True if the job is terminal, that is, if all of its photos are.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled => true,
        }
    }

    /// Name in the API and in the database.
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
