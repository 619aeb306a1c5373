use std::{collections::BTreeSet, num::NonZeroU64};

use super::{
    finding::Finding,
    result::ProcessingResult,
    upload::{Declared, StoredObject, UploadWindow},
};
use crate::{
    id::{JobId, PhotoId, UserId},
    values::{MultipartId, ObjectRef, TagLabel, UploadId},
};

/// Command that creates a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePhoto {
    /// Identifier of the photo.
    pub id: PhotoId,
    /// Job that creates the photo.
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
    pub part_size: Option<NonZeroU64>,
}

/// Command to an existing photo.
#[derive(Debug, Clone, PartialEq)]
pub enum PhotoCommand {
    /// The client has started the upload: it sent the first progress tick, or requested part URLs.
    StartUpload,
    /// An upload in parts was opened in storage, for a file that is sent in parts.
    OpenMultipart {
        /// Storage's identifier of the upload.
        id: MultipartId,
        /// New upload window.
        window: UploadWindow,
    },
    /// New presigned URLs are issued. A failed upload is restarted.
    Renew {
        /// New upload window.
        window: UploadWindow,
    },
    /// The upload is complete, according to a storage event, a finalize request or a HEAD request.
    CompleteUpload,
    /// The object matches the declaration.
    StartProcessing {
        /// Object as reported by HEAD.
        object: StoredObject,
    },
    /// At least one check rejects the photo.
    Reject {
        /// Findings of all checks that rejected the photo.
        reasons: Vec<Finding>,
    },
    /// Metadata and thumbnails are stored.
    CompleteProcessing {
        /// Result of the processing.
        result: Box<ProcessingResult>,
    },
    /// The upload was reported as complete, but the last attempt did not find the object.
    FailMissingUpload,
    /// The upload window has ended, and the last attempt did not find the object.
    ExpireUpload,
    /// The last attempt to process the photo failed.
    FailProcessing,
    /// The owner cancels the photo.
    Cancel,
    /// The owner retries a failed photo.
    Retry {
        /// Upload window, used if the file must be uploaded again.
        window: UploadWindow,
    },
    /// The stored objects of a failed photo are about to be deleted.
    StartCleaning,
    /// The stored objects of a failed photo are deleted.
    FinishCleaning,
    /// The owner adds labels.
    Tag {
        /// Labels to add; those that the photo already has are ignored.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner removes labels.
    Untag {
        /// Labels to remove; those that the photo does not have are ignored.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner deletes the photo.
    Delete,
}

impl PhotoCommand {
    /// Name of the command in error messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StartUpload => "start the upload",
            Self::OpenMultipart { .. } => "open an upload in parts",
            Self::Renew { .. } => "renew the upload",
            Self::CompleteUpload => "complete the upload",
            Self::StartProcessing { .. } => "start processing",
            Self::Reject { .. } => "reject",
            Self::CompleteProcessing { .. } => "complete the processing",
            Self::FailMissingUpload => "fail the missing upload",
            Self::ExpireUpload => "expire the upload",
            Self::FailProcessing => "fail the processing",
            Self::Cancel => "cancel",
            Self::Retry { .. } => "retry",
            Self::StartCleaning => "start the cleaning",
            Self::FinishCleaning => "finish the cleaning",
            Self::Tag { .. } => "tag",
            Self::Untag { .. } => "untag",
            Self::Delete => "delete",
        }
    }
}
