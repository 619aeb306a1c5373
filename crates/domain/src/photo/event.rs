use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Declared, FailureReason, Finding, PhotoStatus, ProcessingResult, StoredObject, UploadWindow};
use crate::{
    JobId, PhotoId, UserId,
    values::{ObjectRef, TagLabel, UploadId},
};

/// What happened to a photo. No event carries a filename, EXIF, an e-mail address or a network address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum PhotoEvent {
    /// A file was promised.
    PhotoQueued {
        /// Names the photo.
        photo: PhotoId,
        /// The job that brought it.
        job: JobId,
        /// Whose it is.
        owner: UserId,
        /// The client's own name for the file.
        upload_id: UploadId,
        /// What the client promised to send.
        declared: Declared,
        /// Where the original goes.
        object: ObjectRef,
        /// Until when it may be uploaded.
        window: UploadWindow,
    },
    /// The client began to send.
    PhotoUploadStarted {},
    /// Fresh URLs were handed out.
    PhotoUploadRenewed {
        /// The new window.
        window: UploadWindow,
    },
    /// The object is said or seen to be there.
    PhotoUploadCompleted {},
    /// The object is what was promised.
    PhotoProcessingStarted {
        /// What HEAD said.
        object: StoredObject,
    },
    /// Metadata and thumbnails are stored.
    PhotoProcessingCompleted {
        /// What was found out.
        result: Box<ProcessingResult>,
    },
    /// Validation said no.
    PhotoRejected {
        /// Every check that said no.
        reasons: Vec<Finding>,
    },
    /// It came to nothing.
    PhotoFailed {
        /// Why.
        reason: FailureReason,
    },
    /// The owner gave it up.
    PhotoCancelled {},
    /// A failed photo is tried again.
    PhotoRetried {
        /// Why it is tried again.
        cause: RetryCause,
        /// Where it goes on: QUEUED or VERIFYING.
        to: PhotoStatus,
        /// The window for a new upload, where one begins.
        window: Option<UploadWindow>,
    },
    /// The owner added labels.
    PhotoTagged {
        /// The labels that were not there before.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner took labels away.
    PhotoUntagged {
        /// The labels that were there before.
        labels: BTreeSet<TagLabel>,
    },
    /// The owner deleted it.
    PhotoDeleted {},
}

/// Why a failed photo is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryCause {
    /// The object turned up after all.
    ObjectArrived,
    /// The owner asked for fresh URLs.
    Renewed,
    /// The owner asked for another try.
    Requested,
}
