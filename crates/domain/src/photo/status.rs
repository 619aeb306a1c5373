use std::fmt;

use serde::{Deserialize, Serialize};

use super::PhotoState;

/// A photo's status: the name of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhotoStatus {
    /// Promised; nothing was sent yet.
    Queued,
    /// The client is sending.
    Uploading,
    /// The object is said to be there.
    Verifying,
    /// The object is being inspected.
    Processing,
    /// Done.
    Completed,
    /// Not acceptable.
    Rejected,
    /// Came to nothing.
    Failed,
    /// Given up by the owner.
    Cancelled,
}

impl PhotoStatus {
    /// Every status, in the order in which a photo can pass them.
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

    /// The status' name on the wire and in the record.
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

    /// Reads a status' name.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == raw)
    }

    /// Whether the photo is at an end.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Uploading | Self::Verifying | Self::Processing => false,
            Self::Completed | Self::Rejected | Self::Failed | Self::Cancelled => true,
        }
    }

    /// Whether bytes are still wanted from the client.
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

impl PhotoState {
    /// The state's name.
    pub const fn status(&self) -> PhotoStatus {
        match self {
            Self::Queued => PhotoStatus::Queued,
            Self::Uploading => PhotoStatus::Uploading,
            Self::Verifying => PhotoStatus::Verifying,
            Self::Processing { .. } => PhotoStatus::Processing,
            Self::Completed { .. } => PhotoStatus::Completed,
            Self::Rejected { .. } => PhotoStatus::Rejected,
            Self::Failed { .. } => PhotoStatus::Failed,
            Self::Cancelled => PhotoStatus::Cancelled,
        }
    }
}
