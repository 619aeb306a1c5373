//! File types, limits and the findings that depend on them.

use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};
use rapidphoto_sample_photos::{Orientation, SamplePhoto, text_named_jpg, truncated};

use crate::fixtures::*;

#[test]
fn files_of_other_types_are_unsupported() {
    let (_, text) = text_named_jpg();
    let cases: [(&[u8], &str, Option<MimeType>); 4] = [
        (&text, "text/plain", None),
        (b"", "application/octet-stream", None),
        (&[0; 1000], "application/octet-stream", None),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "image/heic",
            Some(MimeType::Heic),
        ),
    ];
    for (bytes, name, mime_type) in cases {
        let inspection = inspect(bytes);
        assert_eq!(inspection.findings, [unsupported(name)]);
        assert_eq!(inspection.mime_type, mime_type);
        assert!(inspection.thumbnails.is_empty());
    }
}

#[test]
fn limits_are_inclusive() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    let at_limits = InspectionLimits {
        max_pixels: 150_000,
        min_edge: Some(300),
    };
    assert_quarters(&inspect_within(&file, at_limits), "at the limits");
    let beyond = InspectionLimits {
        max_pixels: 149_999,
        min_edge: Some(301),
    };
    let inspection = inspect_within(&file, beyond);
    assert_eq!(
        inspection.findings,
        [
            Finding::measured(Check::TooManyPixels, 150_000, 149_999),
            Finding::measured(Check::TooSmallResolution, 300, 301),
        ]
    );
    assert!(inspection.thumbnails.is_empty());
}

#[test]
fn a_photo_below_the_minimum_edge_still_has_thumbnails() {
    let limits = InspectionLimits {
        max_pixels: 1_000_000,
        min_edge: Some(1000),
    };
    let inspection = inspect_within(&quarters_jpeg(500, 300, &JpegOptions::default()), limits);
    assert_eq!(
        inspection.findings,
        [Finding::measured(Check::TooSmallResolution, 300, 1000)]
    );
    assert_eq!(inspection.thumbnails.len(), 2);
}

#[test]
fn a_truncated_photo_still_has_dimensions_and_metadata() {
    let photo = SamplePhoto::new(5, 640, 480).turned(Orientation::ALL[7]);
    let file = photo.jpeg();
    let inspection = inspect(truncated(&file, 1, 2));
    assert_eq!((inspection.width, inspection.height), (640, 480));
    assert_eq!(
        inspection.metadata.camera.unwrap().make.as_deref(),
        Some(photo.camera().make)
    );
}
