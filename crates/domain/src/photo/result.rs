use serde::{Deserialize, Serialize};

use super::{finding::Finding, upload::StoredObject};
use crate::{
    timestamp::Timestamp,
    values::{MimeType, ThumbnailEdge},
};

/// Result of processing a photo, without hashes of the content, which must be erasable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingResult {
    /// Object that was inspected.
    pub object: StoredObject,
    /// Type detected from the content.
    pub mime_type: MimeType,
    /// Width of the upright image, in pixels.
    pub width: u32,
    /// Height of the upright image, in pixels.
    pub height: u32,
    /// Thumbnails in storage.
    pub thumbnails: Vec<Thumbnail>,
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
