//! Any bytes as a photo: no panic, the same result every time, and either a finding that prevents thumbnails or two
//! thumbnails of the declared size.

use std::cell::RefCell;

use rapidphoto_application::ports::{Inspection, InspectionLimits};
use rapidphoto_imaging::{Scratch, inspect_bytes};

thread_local! {
    // Kept between inputs, as in a worker: one photo must not affect the next.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new().expect("threads"));
}

const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 1 << 18,
    min_edge: None,
};

pub(crate) fn check(data: &[u8]) {
    SCRATCH.with_borrow_mut(|scratch| {
        let inspection = inspect_bytes(data, LIMITS, scratch);
        assert_consistent(&inspection);
        // No measurement is a NaN, otherwise the results would differ.
        assert_eq!(inspection, inspect_bytes(data, LIMITS, scratch));
    });
}

/// Asserts that thumbnails, findings and size agree.
fn assert_consistent(inspection: &Inspection) {
    let pixels = u64::from(inspection.width) * u64::from(inspection.height);
    if inspection.thumbnails.is_empty() {
        assert!(
            !inspection.findings.is_empty(),
            "neither thumbnails nor a finding"
        );
        return;
    }
    assert_eq!(inspection.findings, []);
    assert!((1..=LIMITS.max_pixels).contains(&pixels));
    assert_eq!(inspection.thumbnails.len(), 2);
    for thumbnail in &inspection.thumbnails {
        let longer = thumbnail.width.max(thumbnail.height);
        assert_eq!(
            longer,
            thumbnail
                .edge
                .pixels()
                .min(inspection.width.max(inspection.height))
        );
        let header = jpeg_scale::read_header(&thumbnail.jpeg).expect("a thumbnail is a JPEG");
        assert_eq!(
            (u32::from(header.width), u32::from(header.height)),
            (thumbnail.width, thumbnail.height)
        );
        assert_eq!(header.unsupported, None);
    }
}
