use std::{collections::BTreeSet, num::NonZeroU64};

use serde::{Deserialize, Serialize};

use super::{
    failure::FailureReason,
    finding::Finding,
    result::ProcessingResult,
    status::PhotoStatus,
    upload::{Declared, StoredObject, UploadWindow},
};
use crate::{
    id::{JobId, PhotoId, UserId},
    values::{MultipartId, ObjectRef, TagLabel, UploadId},
};

/// Photo, folded from its events. Filename, EXIF, location and hashes of the content are stored elsewhere, because they
/// must be erasable and events are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Identifier of the photo.
    pub id: PhotoId,
    /// Job that created the photo.
    pub job: JobId,
    /// Owner of the photo.
    pub owner: UserId,
    /// Identifier that the client chose for the file.
    pub upload_id: UploadId,
    /// File as declared by the client.
    pub declared: Declared,
    /// Location of the original in storage.
    pub object: ObjectRef,
    /// Upload window.
    pub window: UploadWindow,
    /// Size of all parts but the last, in bytes, if the file is sent in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_size: Option<NonZeroU64>,
    /// Upload in parts that was opened last, unless the upload has begun anew since. It may be completed or aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<MultipartId>,
    /// Labels given by the owner.
    pub tags: BTreeSet<TagLabel>,
    /// True if the photo is deleted: it is hidden and never changes again.
    pub deleted: bool,
    /// Number of retries, each of which takes a job that has ended to its next round.
    #[serde(default)]
    pub retries: u32,
    /// Deletion of a failed photo's stored objects.
    #[serde(default)]
    pub cleaning: Cleaning,
    /// State in the life cycle.
    pub state: PhotoState,
}

/// Deletion of the stored objects of a failed photo. A retry must not begin while they are being deleted: the deletion
/// could take the retried photo's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cleaning {
    /// The objects are kept.
    #[default]
    Kept,
    /// The objects are being deleted, and may be gone.
    Started,
    /// The objects are deleted: a retry needs a new upload.
    Done,
}

/// State of a photo in its life cycle, with the data that exists only in that state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "status",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum PhotoState {
    /// Declared by the client; the upload has not started.
    Queued,
    /// The client is uploading.
    Uploading,
    /// The upload was reported as complete; the object is being compared with the declaration.
    Verifying,
    /// The object matches the declaration and is being inspected.
    Processing {
        /// Object that was verified.
        object: StoredObject,
    },
    /// Inspected, with thumbnails in storage.
    Completed {
        /// Result of the processing.
        result: Box<ProcessingResult>,
    },
    /// Rejected by at least one check.
    Rejected {
        /// Findings of all checks that rejected the photo.
        reasons: Vec<Finding>,
    },
    /// The upload or the processing failed.
    Failed {
        /// Reason for the failure.
        reason: FailureReason,
    },
    /// Cancelled by the owner.
    Cancelled,
}

impl Photo {
    /// Status of the photo.
    pub const fn status(&self) -> PhotoStatus {
        self.state.status()
    }

    /// Object in storage that was verified; `None` before verification and after rejection, failure or cancellation.
    pub fn verified_object(&self) -> Option<&StoredObject> {
        match &self.state {
            PhotoState::Processing { object } => Some(object),
            PhotoState::Completed { result } => Some(&result.object),
            PhotoState::Queued
            | PhotoState::Uploading
            | PhotoState::Verifying
            | PhotoState::Rejected { .. }
            | PhotoState::Failed { .. }
            | PhotoState::Cancelled => None,
        }
    }
}

impl PhotoState {
    /// Reason of a failure.
    pub const fn failure(&self) -> Option<FailureReason> {
        match self {
            Self::Failed { reason } => Some(*reason),
            Self::Queued
            | Self::Uploading
            | Self::Verifying
            | Self::Processing { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => None,
        }
    }

    /// Name of the state.
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
