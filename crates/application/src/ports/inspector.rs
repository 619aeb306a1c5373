use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_domain::{
    photo::{Finding, PerceptualHash},
    values::{MimeType, ThumbnailEdge},
};

use super::{PhotoMetadata, Unavailable};

/// Decodes, checks and scales photos.
#[async_trait]
pub trait PhotoInspector: Send + Sync {
    /// Inspects one photo. The adapter bounds threads and memory: a call waits until there is capacity.
    ///
    /// # Errors
    /// [`InspectError`] for faults of the program or the process. Faults of the photo are findings.
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError>;

    /// Checks that photos can be inspected. An adapter without anything that can fail is always available.
    fn check(&self) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// Limits of an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectionLimits {
    /// Maximum number of pixels, width times height.
    pub max_pixels: u64,
    /// Minimum length of the shorter edge in pixels, if any.
    pub min_edge: Option<u32>,
}

/// Result of an inspection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inspection {
    /// Type detected from the content; `None` if it is no supported image.
    pub mime_type: Option<MimeType>,
    /// Width in pixels, after EXIF orientation is applied; 0 if unknown.
    pub width: u32,
    /// Height in pixels, after EXIF orientation is applied; 0 if unknown.
    pub height: u32,
    /// One thumbnail per [`ThumbnailEdge`], oriented upright and without metadata; empty if a finding prevents them.
    pub thumbnails: Vec<EncodedThumbnail>,
    /// Results of failed checks.
    pub findings: Vec<Finding>,
    /// Metadata from EXIF.
    pub metadata: PhotoMetadata,
    /// Perceptual hash, if computed.
    pub perceptual_hash: Option<PerceptualHash>,
    /// Sharpness, if measured; higher is sharper.
    pub sharpness: Option<f64>,
}

/// Encoded thumbnail that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedThumbnail {
    /// Nominal size.
    pub edge: ThumbnailEdge,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// JPEG file.
    pub jpeg: Bytes,
}

/// Reasons why an inspection has no result, which are not known faults of the photo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A decoder panicked, crashed, hung or violated its contract.
    #[error("the inspection failed: {0}")]
    Failed(String),
    /// No photo can be inspected at present: not this photo's fault.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The pool is shutting down.
    #[error("the inspection was cancelled by the shutdown")]
    ShuttingDown,
}
