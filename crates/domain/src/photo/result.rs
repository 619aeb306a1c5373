use serde::{Deserialize, Serialize};

use super::{finding::Finding, perceptual_hash::PerceptualHash, upload::StoredObject};
use crate::{
    timestamp::Timestamp,
    values::{Checksum, MimeType, ThumbnailEdge},
};

/// Result of processing a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingResult {
    /// Object that was inspected.
    pub object: StoredObject,
    /// Type detected from the content.
    pub mime_type: MimeType,
    /// SHA-256 of the content.
    pub checksum: Checksum,
    /// Width of the upright image, in pixels.
    pub width: u32,
    /// Height of the upright image, in pixels.
    pub height: u32,
    /// Thumbnails in storage.
    pub thumbnails: Vec<Thumbnail>,
    /// Perceptual hash, if it was computed.
    pub perceptual_hash: Option<PerceptualHash>,
    /// Sharpness, a finite number, if it was measured.
    pub sharpness: Option<f64>,
    /// Findings of checks with the policy [`Policy::Warn`](super::Policy::Warn).
    pub warnings: Vec<Finding>,
    /// Time of completion.
    pub completed_at: Timestamp,
}

/// Thumbnail in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// Maximum length of the longer edge.
    pub edge: ThumbnailEdge,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}
