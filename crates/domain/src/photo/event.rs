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

/// Event of a photo. No event contains a filename, EXIF, a hash of the content, an e-mail address or a network address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum PhotoEvent {
    /// The photo was created for a file that a client declared.
    PhotoQueued {
        /// Identifier of the photo.
        photo: PhotoId,
        /// Job that created the photo.
        job: JobId,
        /// Owner of the photo.
        owner: UserId,
        /// Identifier that the client chose for the file.
        upload_id: UploadId,
        /// File as declared by the client.
        declared: Declared,
        /// Location of the original in storage.
        object: ObjectRef,
        /// Upload window.
        window: UploadWindow,
        /// Size of all parts but the last, in bytes, if the file is sent in parts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part_size: Option<NonZeroU64>,
    },
    /// An upload in parts was opened in storage; it replaces an earlier one.
    PhotoMultipartOpened {
        /// Storage's identifier of the upload.
        id: MultipartId,
        /// New upload window.
        window: UploadWindow,
    },
    /// The client started the upload.
    PhotoUploadStarted {},
    /// New presigned URLs were issued.
    PhotoUploadRenewed {
        /// New upload window.
        window: UploadWindow,
    },
    /// The upload was reported as complete, or the object was found.
    PhotoUploadCompleted {},
    /// The object matches the declaration.
    PhotoProcessingStarted {
        /// Object as reported by HEAD.
        object: StoredObject,
    },
    /// Metadata and thumbnails are stored.
    PhotoProcessingCompleted {
        /// Result of the processing.
        result: Box<ProcessingResult>,
    },
    /// At least one check rejected the photo.
    PhotoRejected {
        /// Findings of all checks that rejected the photo.
        reasons: Vec<Finding>,
    },
    /// The upload or the processing failed.
    PhotoFailed {
        /// Reason for the failure.
        reason: FailureReason,
    },
    /// The owner cancelled the photo.
    PhotoCancelled {},
    /// A failed photo is retried.
    PhotoRetried {
        /// Cause of the retry.
        cause: RetryCause,
        /// Status after the retry: QUEUED or VERIFYING.
        to: PhotoStatus,
        /// New upload window, if the file must be uploaded again.
        window: Option<UploadWindow>,
    },
    /// The deletion of a failed photo's stored objects begins.
    PhotoCleaningStarted {},
    /// A failed photo's stored objects are deleted.
    PhotoCleaned {},
    /// The owner added labels.
    PhotoTagged {
        /// Labels that the photo did not have before.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner removed labels.
    PhotoUntagged {
        /// Labels that the photo had before.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner deleted the photo.
    PhotoDeleted {},
}

/// Cause of the retry of a failed photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryCause {
    /// The object arrived in storage after the failure.
    ObjectArrived,
    /// The owner requested new presigned URLs.
    Renewed,
    /// The owner requested a retry.
    Requested,
}
