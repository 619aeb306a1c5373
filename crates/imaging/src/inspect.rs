use rapidphoto_application::ports::{Inspection, InspectionLimits};
use rapidphoto_domain::{
    photo::{Check, Finding, Measure},
    values::ThumbnailEdge,
};

use crate::{
    decoder::ImageDecoder,
    error::{Damage, DecodeError},
    exif, formats,
    orientation::Orientation,
    scratch::Scratch,
    sniff::{Sniffed, sniff},
};

/// Inspects one photo, bounded by `limits` only.
pub fn inspect_bytes(bytes: &[u8], limits: InspectionLimits, scratch: &mut Scratch) -> Inspection {
    StagedInspection::parse(bytes, limits).finish(scratch)
}

/// Upper bound of the memory in bytes that inspecting a file takes beside the file itself, as an
/// [`ImagingPool`](crate::ImagingPool) reserves it; `None` if the file will not be decoded because of its findings.
pub fn max_memory_bytes(bytes: &[u8], limits: InspectionLimits) -> Option<u64> {
    StagedInspection::parse(bytes, limits).max_memory_bytes()
}

/// Inspection between its two stages: the container is parsed, and nothing is decoded yet.
#[derive(Debug)]
pub(crate) struct StagedInspection<'a> {
    inspection: Inspection,
    /// `None` if findings rule out decoding.
    decoder: Option<Box<dyn ImageDecoder + 'a>>,
}

/// Minimum length of the longer edge after decoding.
const DECODED_EDGE: u16 = 1024;
const _: () = assert!(ThumbnailEdge::Large.pixels() == DECODED_EDGE as u32);

impl<'a> StagedInspection<'a> {
    /// Parses the container and checks it against the limits. Allocates next to nothing, whatever the file declares.
    pub(crate) fn parse(bytes: &'a [u8], limits: InspectionLimits) -> Self {
        let sniffed = sniff(bytes);
        let mut staged = Self {
            inspection: Inspection::default(),
            decoder: None,
        };
        if let Sniffed::Image(mime_type) = sniffed {
            staged.inspection.mime_type = Some(mime_type);
            if let Some(decoder) = formats::open(mime_type, bytes) {
                staged.validate(decoder.as_ref(), limits);
                if !staged.inspection.findings.iter().any(prevents_decoding) {
                    staged.decoder = Some(decoder);
                }
                return staged;
            }
        }
        staged.report_unsupported(sniffed.name());
        staged
    }

    fn validate(&mut self, decoder: &dyn ImageDecoder, limits: InspectionLimits) {
        self.inspection.metadata = decoder.exif().map(exif::read).unwrap_or_default();
        if let Some(stored) = decoder.size() {
            let (width, height) = self.orientation().displayed_size(stored);
            (self.inspection.width, self.inspection.height) = (width, height);
            if let Some(feature) = decoder.unsupported_feature() {
                self.report_unsupported(feature);
            }
            let pixels = u64::from(width) * u64::from(height);
            if pixels > limits.max_pixels {
                self.report(Check::TooManyPixels, pixels, limits.max_pixels);
            }
            if let Some(min_edge) = limits.min_edge
                && width.min(height) < min_edge
            {
                self.report(
                    Check::TooSmallResolution,
                    u64::from(width.min(height)),
                    u64::from(min_edge),
                );
            }
        } else if let Some(feature) = decoder.unsupported_feature() {
            self.report_unsupported(feature);
        }
        if let Some(damage) = decoder.damage() {
            self.report_corrupt(match damage {
                Damage::Truncated => "truncated",
                Damage::NoPixels => "no_pixels",
                Damage::Malformed => "malformed",
                Damage::TooManyParts => "too_many_parts",
            });
        }
    }

    /// Upper bound of the memory in bytes that [`Self::finish`] takes; `None` if it will not decode.
    pub(crate) fn max_memory_bytes(&self) -> Option<u64> {
        self.decoder
            .as_ref()
            .map(|decoder| decoder.max_memory_bytes(DECODED_EDGE))
    }

    /// Reports that decoding needs more memory than the whole budget, and rules out decoding. The allowed number of
    /// pixels is the one that would fit the budget, in proportion.
    pub(crate) fn reject_for_memory(&mut self, required_bytes: u64, budget_bytes: u64) {
        let pixels = u64::from(self.inspection.width) * u64::from(self.inspection.height);
        let allowed = u128::from(pixels) * u128::from(budget_bytes) / u128::from(required_bytes.max(1));
        self.report(
            Check::TooManyPixels,
            pixels,
            u64::try_from(allowed).unwrap_or(u64::MAX),
        );
        self.decoder = None;
    }

    /// Decodes the image and makes its thumbnails, unless findings rule that out.
    pub(crate) fn finish(mut self, scratch: &mut Scratch) -> Inspection {
        let Some(decoder) = self.decoder.take() else {
            return self.inspection;
        };
        let raster = match decoder.decode(DECODED_EDGE, scratch) {
            Ok(raster) => raster,
            Err(DecodeError::Unsupported(feature)) => {
                self.report_unsupported(feature);
                return self.inspection;
            }
            Err(DecodeError::Damaged(reason)) => {
                tracing::debug!(reason, "a photo can't be decoded");
                self.report_corrupt("undecodable");
                return self.inspection;
            }
        };
        let orientation = self.orientation();
        let stored = orientation.displayed_size((self.inspection.width, self.inspection.height));
        let profile = decoder.icc_profile();
        let thumbnails = scratch
            .thumbnailer
            .make(&raster, stored, orientation, profile.as_deref());
        scratch.scaled_jpeg.reuse(raster);
        match thumbnails {
            Ok(thumbnails) => self.inspection.thumbnails = thumbnails,
            Err(error) => {
                tracing::warn!(%error, "thumbnails of a decoded photo can't be made");
                self.report_corrupt("undecodable");
            }
        }
        self.inspection
    }

    fn orientation(&self) -> Orientation {
        Orientation::from_exif(self.inspection.metadata.orientation)
    }

    fn report(&mut self, check: Check, measured: impl Into<Measure>, allowed: impl Into<Measure>) {
        self.inspection
            .findings
            .push(Finding::measured(check, measured, allowed));
    }

    fn report_unsupported(&mut self, feature: &str) {
        self.report(
            Check::UnsupportedFormat,
            feature.to_owned(),
            formats::SUPPORTED_TYPES.to_owned(),
        );
    }

    fn report_corrupt(&mut self, reason: &str) {
        self.inspection.findings.push(Finding {
            measured: Some(reason.to_owned().into()),
            ..Finding::without_values(Check::Corrupt)
        });
    }
}

fn prevents_decoding(finding: &Finding) -> bool {
    match finding.check {
        Check::UnsupportedFormat | Check::TooManyPixels | Check::Corrupt => true,
        Check::TypeMismatch
        | Check::SizeMismatch
        | Check::TooLarge
        | Check::TooSmallResolution
        | Check::ChecksumMismatch
        | Check::Blurry
        | Check::NearDuplicate
        | Check::Infected
        | Check::Moderation => false,
    }
}
