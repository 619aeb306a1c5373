use std::collections::BTreeSet;

use super::{Declared, Finding, ProcessingResult, StoredObject, UploadWindow};
use crate::{
    JobId, PhotoId, UserId,
    values::{ObjectRef, TagLabel, UploadId},
};

/// Brings a photo into being.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePhoto {
    /// Names the photo.
    pub id: PhotoId,
    /// The job that brings it.
    pub job: JobId,
    /// Whose it is.
    pub owner: UserId,
    /// The client's own name for the file.
    pub upload_id: UploadId,
    /// What the client promises to send.
    pub declared: Declared,
    /// Where the original goes.
    pub object: ObjectRef,
    /// Until when it may be uploaded.
    pub window: UploadWindow,
}

/// What may be asked of a photo that exists.
#[derive(Debug, Clone, PartialEq)]
pub enum PhotoCommand {
    /// The client has begun to send: a first progress tick, or part URLs were asked for.
    StartUpload,
    /// Fresh URLs are handed out. A failed upload begins anew.
    Renew {
        /// The new window.
        window: UploadWindow,
    },
    /// The object is said or seen to be there: storage's event, finalize, or a look.
    CompleteUpload,
    /// HEAD agrees with what was promised.
    StartProcessing {
        /// What HEAD said.
        object: StoredObject,
    },
    /// Validation said no.
    Reject {
        /// Every check that said no.
        reasons: Vec<Finding>,
    },
    /// Metadata and thumbnails are stored.
    CompleteProcessing {
        /// What was found out.
        result: Box<ProcessingResult>,
    },
    /// The object was said to be there and is not, after the last look.
    FailMissingUpload,
    /// The upload window is over and a last look found nothing.
    ExpireUpload,
    /// Attempts to process it are used up.
    FailProcessing,
    /// The owner gives it up.
    Cancel,
    /// The owner wants a failed photo tried again.
    Retry {
        /// The window for a new upload, where one is needed.
        window: UploadWindow,
    },
    /// The owner groups it.
    Tag {
        /// Labels to add.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner ungroups it.
    Untag {
        /// Labels to take away.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner deletes it.
    Delete,
}

impl PhotoCommand {
    /// The command's name in errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StartUpload => "start the upload",
            Self::Renew { .. } => "renew the upload",
            Self::CompleteUpload => "complete the upload",
            Self::StartProcessing { .. } => "start processing",
            Self::Reject { .. } => "reject",
            Self::CompleteProcessing { .. } => "complete",
            Self::FailMissingUpload => "report the upload missing",
            Self::ExpireUpload => "expire the upload",
            Self::FailProcessing => "give up processing",
            Self::Cancel => "cancel",
            Self::Retry { .. } => "retry",
            Self::Tag { .. } => "tag",
            Self::Untag { .. } => "untag",
            Self::Delete => "delete",
        }
    }
}
