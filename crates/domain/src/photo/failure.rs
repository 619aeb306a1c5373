use serde::{Deserialize, Serialize};

/// Reason for the failure of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The upload was reported as complete, but several attempts did not find the object.
    UploadMissing,
    /// The upload window ended before the file was uploaded.
    UploadExpired,
    /// All attempts to process the photo failed.
    ProcessingError,
}

impl FailureReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::UploadMissing, Self::UploadExpired, Self::ProcessingError];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UploadMissing => "upload_missing",
            Self::UploadExpired => "upload_expired",
            Self::ProcessingError => "processing_error",
        }
    }

    /// Message for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UploadMissing => {
                "the upload was reported as complete, but the file is not in storage; upload it again"
            }
            Self::UploadExpired => "the file was not uploaded in time; upload it again",
            Self::ProcessingError => {
                "the photo could not be processed; the original is kept, and a retry is possible"
            }
        }
    }
}
