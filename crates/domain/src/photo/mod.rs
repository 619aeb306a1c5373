//! A photo: from the promise of a file to a checked picture with thumbnails.

mod apply;
mod command;
mod decide;
mod event;
mod finding;
mod status;

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use apply::FoldError;
pub use command::{PhotoCommand, QueuePhoto};
pub use decide::InvalidTransition;
pub use event::{PhotoEvent, RetryCause};
pub use finding::{Check, CheckPolicies, Finding, Measure, Policy, Verdict};
pub use status::PhotoStatus;

use crate::{
    JobId, PhotoId, Timestamp, UserId,
    values::{Checksum, ETag, MimeType, ObjectRef, TagLabel, ThumbnailEdge, UploadId},
};

/// A photo as the fold of its events. Filename, EXIF and place are not here: they can be erased, events can't.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Names the photo.
    pub id: PhotoId,
    /// The job that brought it.
    pub job: JobId,
    /// Whose it is.
    pub owner: UserId,
    /// The client's own name for the file.
    pub upload_id: UploadId,
    /// What the client promised to send.
    pub declared: Declared,
    /// Where the original goes.
    pub object: ObjectRef,
    /// Until when the upload may take place.
    pub window: UploadWindow,
    /// How the owner groups it.
    pub tags: BTreeSet<TagLabel>,
    /// Deleted photos are hidden and never change again.
    pub deleted: bool,
    /// Where it stands.
    pub state: PhotoState,
}

/// What a client promised to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declared {
    /// The promised type.
    pub mime_type: MimeType,
    /// The promised length.
    pub bytes: u64,
    /// The promised SHA-256, where the client knows it.
    pub checksum: Option<Checksum>,
}

/// Until when an upload may take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadWindow {
    /// When the last URL that was handed out stops working.
    pub url_expires_at: Timestamp,
    /// When the upload is given up, unless there is a sign of life before.
    pub ends_at: Timestamp,
}

/// Where a photo stands, with what is known only there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "status",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum PhotoState {
    /// Promised; nothing was sent yet.
    Queued,
    /// The client is sending.
    Uploading,
    /// The client or storage says that the object is there.
    Verifying,
    /// The object is what was promised; it is being inspected.
    Processing {
        /// The object that was verified.
        object: StoredObject,
    },
    /// Inspected, with thumbnails in storage.
    Completed {
        /// The result.
        result: Box<ProcessingResult>,
    },
    /// The object is not acceptable.
    Rejected {
        /// Every check that said no.
        reasons: Vec<Finding>,
    },
    /// It came to nothing, through no fault of the photo.
    Failed {
        /// Why.
        reason: FailureReason,
    },
    /// The owner gave it up.
    Cancelled,
}

/// What storage says of an object that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    /// The object's entity tag: what was verified is what is processed.
    pub e_tag: ETag,
    /// The object's length.
    pub bytes: u64,
}

/// What inspection found out about a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingResult {
    /// The object that was inspected.
    pub object: StoredObject,
    /// The type its bytes have.
    pub mime_type: MimeType,
    /// Its SHA-256.
    pub checksum: Checksum,
    /// Width in pixels when shown upright.
    pub width: u32,
    /// Height in pixels when shown upright.
    pub height: u32,
    /// The thumbnails in storage.
    pub thumbnails: Vec<Thumbnail>,
    /// A 64-bit perceptual hash, where it was computed.
    pub perceptual_hash: Option<PerceptualHash>,
    /// How sharp it is, where it was measured: a finite number.
    pub sharpness: Option<f64>,
    /// Checks that only warn and said no.
    pub warnings: Vec<Finding>,
    /// When it was completed.
    pub completed_at: Timestamp,
}

/// One thumbnail in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// The size it was made for.
    pub edge: ThumbnailEdge,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// A 64-bit perceptual hash: pictures that look alike differ in few bits. Written as 16 hexadecimal digits, because
/// many readers of JSON keep no more than 53 bits of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PerceptualHash(pub u64);

/// Why a text is no perceptual hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a perceptual hash is written as 16 lower-case hexadecimal digits")]
pub struct PerceptualHashError;

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PerceptualHash {
    type Err = PerceptualHashError;

    fn from_str(raw: &str) -> Result<Self, PerceptualHashError> {
        let hash = u64::from_str_radix(raw, 16)
            .map(Self)
            .map_err(|_| PerceptualHashError)?;
        if hash.to_string() == raw {
            Ok(hash)
        } else {
            Err(PerceptualHashError)
        }
    }
}

impl TryFrom<String> for PerceptualHash {
    type Error = PerceptualHashError;

    fn try_from(raw: String) -> Result<Self, PerceptualHashError> {
        raw.parse()
    }
}

impl From<PerceptualHash> for String {
    fn from(hash: PerceptualHash) -> Self {
        hash.to_string()
    }
}

/// Why a photo came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Said to be there, and not found after several looks.
    UploadMissing,
    /// The upload window passed and nothing came.
    UploadExpired,
    /// Every attempt to process it broke.
    ProcessingError,
}

impl FailureReason {
    /// The reason's stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UploadMissing => "upload_missing",
            Self::UploadExpired => "upload_expired",
            Self::ProcessingError => "processing_error",
        }
    }

    /// What a person is told.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UploadMissing => "the upload was reported, but the file is not in storage",
            Self::UploadExpired => "the file was not uploaded in time",
            Self::ProcessingError => "the photo could not be processed; the original is kept",
        }
    }
}

impl Photo {
    /// The photo's status.
    pub const fn status(&self) -> PhotoStatus {
        self.state.status()
    }

    /// The object that stands for this photo in storage, once storage's word for it is known.
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
