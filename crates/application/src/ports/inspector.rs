use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_domain::{
    photo::{Finding, PerceptualHash},
    values::{MimeType, ThumbnailEdge},
};

use super::PhotoMetadata;

/// Looks into a photo's bytes.
#[async_trait]
pub trait PhotoInspector: Send + Sync {
    /// Inspects one photo. Threads and memory are bounded by the adapter: a call waits for its place.
    ///
    /// # Errors
    /// Only for what is not the photo's fault; what is wrong with the photo is a finding.
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError>;
}

/// What an inspection holds a photo against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectionLimits {
    /// The most pixels, width times height.
    pub max_pixels: u64,
    /// The least length of the shorter edge in pixels, where there is one.
    pub min_edge: Option<u32>,
}

/// What an inspection found out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inspection {
    /// The type that the bytes have; `None` for no known image.
    pub mime_type: Option<MimeType>,
    /// Width in pixels when shown upright; 0 where unknown.
    pub width: u32,
    /// Height in pixels when shown upright; 0 where unknown.
    pub height: u32,
    /// A thumbnail for each [`ThumbnailEdge`], upright and without metadata; none if a finding made them impossible.
    pub thumbnails: Vec<MadeThumbnail>,
    /// Checks that said no.
    pub findings: Vec<Finding>,
    /// What EXIF says.
    pub metadata: PhotoMetadata,
    /// The perceptual hash, where it is computed.
    pub perceptual_hash: Option<PerceptualHash>,
    /// How sharp the photo is, where it is measured.
    pub sharpness: Option<f64>,
}

/// A thumbnail that waits to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeThumbnail {
    /// The size it was made for.
    pub edge: ThumbnailEdge,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// The JPEG file.
    pub jpeg: Bytes,
}

/// Why an inspection came to nothing, through no known fault of the photo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A decoder broke its own promises.
    #[error("the inspection broke: {0}")]
    Broken(String),
    /// The pool is shutting down.
    #[error("the inspection was given up")]
    ShuttingDown,
}
