use rapidphoto_application::ports::{Inspection, InspectionLimits};
use rapidphoto_domain::{
    photo::{Check, Finding, Measure},
    values::ThumbnailEdge,
};

use crate::{
    exif,
    form::{self, Damage, DecodeError, Form},
    jpeg::Scaled,
    orientation::Orientation,
    sniff::{Sniffed, sniff},
    thumbnails::Thumbnailer,
};

/// What one thread keeps from photo to photo, so that it need not be made anew.
#[derive(Debug)]
pub struct Scratch {
    thumbnailer: Thumbnailer,
    pub(crate) scaled: Scaled,
    /// A single thread: decoders share their work out among the threads that they find, and find only this one.
    pub(crate) decoding: rayon::ThreadPool,
}

/// The system gave no thread to decode on.
#[derive(Debug, thiserror::Error)]
#[error("no thread to decode on")]
pub struct ScratchError(#[from] rayon::ThreadPoolBuildError);

impl Scratch {
    /// What one thread needs to inspect photos.
    pub fn new() -> Result<Self, ScratchError> {
        Ok(Self {
            thumbnailer: Thumbnailer::default(),
            scaled: Scaled::default(),
            decoding: rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(|_| "decoding".to_owned())
                .build()?,
        })
    }
}

/// The whole inspection of one photo, without bounds but `limits`.
pub fn inspect_bytes(bytes: &[u8], limits: InspectionLimits, scratch: &mut Scratch) -> Inspection {
    Examination::begin(bytes, limits).finish(scratch)
}

/// Bytes of memory that inspecting a file takes at most beside the file itself, as an
/// [`ImagingPool`](crate::ImagingPool) counts them; `None` if findings leave nothing to decode.
pub fn weight_of(bytes: &[u8], limits: InspectionLimits) -> Option<u64> {
    Examination::begin(bytes, limits).weight()
}

/// An inspection between its two halves: the form of the file is known, nothing is decoded yet.
#[derive(Debug)]
pub(crate) struct Examination<'a> {
    inspection: Inspection,
    /// `None` if findings made decoding impossible.
    picture: Option<Box<dyn Form + 'a>>,
}

/// The longer edge of what is decoded.
const EDGE: u16 = 1024;
const _: () = assert!(ThumbnailEdge::Large.pixels() == EDGE as u32);

impl<'a> Examination<'a> {
    /// Looks at the file's form. Allocates next to nothing, whatever the file says.
    pub(crate) fn begin(bytes: &'a [u8], limits: InspectionLimits) -> Self {
        let sniffed = sniff(bytes);
        let mut examination = Self {
            inspection: Inspection::default(),
            picture: None,
        };
        if let Sniffed::Image(mime_type) = sniffed {
            examination.inspection.mime_type = Some(mime_type);
            if let Some(form) = form::read(mime_type, bytes) {
                examination.judge(form.as_ref(), limits);
                if !examination.inspection.findings.iter().any(prevents_decoding) {
                    examination.picture = Some(form);
                }
                return examination;
            }
        }
        examination.unsupported(sniffed.name());
        examination
    }

    fn judge(&mut self, form: &dyn Form, limits: InspectionLimits) {
        self.inspection.metadata = form.exif().map(exif::read).unwrap_or_default();
        if let Some(stored) = form.size() {
            let (width, height) = self.orientation().shown(stored);
            (self.inspection.width, self.inspection.height) = (width, height);
            if let Some(obstacle) = form.obstacle() {
                self.unsupported(obstacle);
            }
            let pixels = u64::from(width) * u64::from(height);
            if pixels > limits.max_pixels {
                self.report(Check::TooManyPixels, pixels, limits.max_pixels);
            }
            if let Some(least) = limits.min_edge
                && width.min(height) < least
            {
                self.report(
                    Check::TooSmallResolution,
                    u64::from(width.min(height)),
                    u64::from(least),
                );
            }
        } else if let Some(obstacle) = form.obstacle() {
            self.unsupported(obstacle);
        }
        if let Some(damage) = form.damage() {
            self.corrupt(match damage {
                Damage::Truncated => "truncated",
                Damage::NoPixels => "no_pixels",
                Damage::Malformed => "malformed",
                Damage::TooManyParts => "too_many_parts",
            });
        }
    }

    /// Bytes of memory that finishing takes; `None` if nothing is left to decode.
    pub(crate) fn weight(&self) -> Option<u64> {
        self.picture.as_ref().map(|form| form.weight(EDGE))
    }

    /// Reports that this photo needs more memory than there is, and decodes nothing.
    pub(crate) fn refuse_weight(&mut self, weight: u64, budget: u64) {
        let pixels = u64::from(self.inspection.width) * u64::from(self.inspection.height);
        let fitting = u128::from(pixels) * u128::from(budget) / u128::from(weight.max(1));
        self.report(
            Check::TooManyPixels,
            pixels,
            u64::try_from(fitting).unwrap_or(u64::MAX),
        );
        self.picture = None;
    }

    /// Decodes the picture and makes its thumbnails, as far as the findings allow.
    pub(crate) fn finish(mut self, scratch: &mut Scratch) -> Inspection {
        let Some(form) = self.picture.take() else {
            return self.inspection;
        };
        let raster = match form.decode(EDGE, scratch) {
            Ok(raster) => raster,
            Err(DecodeError::Unsupported(kind)) => {
                self.unsupported(kind);
                return self.inspection;
            }
            Err(DecodeError::Damaged(reason)) => {
                tracing::debug!(reason, "a photo can't be decoded");
                self.corrupt("undecodable");
                return self.inspection;
            }
        };
        let orientation = self.orientation();
        let stored = orientation.shown((self.inspection.width, self.inspection.height));
        let profile = form.profile();
        let made = scratch
            .thumbnailer
            .make(&raster, stored, orientation, profile.as_deref());
        scratch.scaled.reuse(raster);
        match made {
            Ok(thumbnails) => self.inspection.thumbnails = thumbnails,
            Err(error) => {
                tracing::warn!(%error, "a decoded photo gave no thumbnails");
                self.corrupt("undecodable");
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

    fn unsupported(&mut self, kind: &str) {
        self.report(
            Check::UnsupportedFormat,
            kind.to_owned(),
            form::READABLE.to_owned(),
        );
    }

    fn corrupt(&mut self, how: &str) {
        self.inspection.findings.push(Finding {
            measured: Some(how.to_owned().into()),
            ..Finding::bare(Check::Corrupt)
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
