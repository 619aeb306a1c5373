use std::fmt;

use serde::{Deserialize, Serialize};

/// Status of a photo, that is, the name of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhotoStatus {
    /// Declared by the client; the upload has not started.
    Queued,
    /// The client is uploading.
    Uploading,
    /// The upload was reported as complete; the object is being compared with the declaration.
    Verifying,
    /// The object is being inspected.
    Processing,
    /// Inspected, with thumbnails in storage.
    Completed,
    /// Rejected by at least one check.
    Rejected,
    /// The upload or the processing failed.
    Failed,
    /// Cancelled by the owner.
    Cancelled,
}

impl PhotoStatus {
    /// All statuses, in the order of the life cycle.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Uploading,
        Self::Verifying,
        Self::Processing,
        Self::Completed,
        Self::Rejected,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Name in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Uploading => "UPLOADING",
            Self::Verifying => "VERIFYING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Parses the name of a status.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == raw)
    }

    /// True for a terminal status.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Uploading | Self::Verifying | Self::Processing => false,
            Self::Completed | Self::Rejected | Self::Failed | Self::Cancelled => true,
        }
    }

    /// True if the client has not finished the upload.
    pub const fn awaits_upload(self) -> bool {
        match self {
            Self::Queued | Self::Uploading => true,
            Self::Verifying
            | Self::Processing
            | Self::Completed
            | Self::Rejected
            | Self::Failed
            | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for PhotoStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
