//! Any bytes as a photo: never a panic, the same outcome every time, and
//! either a finding that says why there are no thumbnails or thumbnails as they are promised.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use rapidphoto_application::ports::{Inspection, InspectionLimits};
use rapidphoto_imaging::{Scratch, inspect_bytes};

thread_local! {
    // Kept from input to input, as in a worker: what one photo leaves behind must not show in the next.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new().expect("threads"));
}

const LIMITS: InspectionLimits = InspectionLimits { max_pixels: 1 << 18, min_edge: None };

fuzz_target!(|data: &[u8]| {
    SCRATCH.with_borrow_mut(|scratch| {
        let inspection = inspect_bytes(data, LIMITS, scratch);
        check(&inspection);
        // Equality of what was measured: nothing in it is a NaN.
        assert_eq!(inspection, inspect_bytes(data, LIMITS, scratch));
    });
});

fn check(inspection: &Inspection) {
    let pixels = u64::from(inspection.width) * u64::from(inspection.height);
    if inspection.thumbnails.is_empty() {
        assert!(!inspection.findings.is_empty(), "neither thumbnails nor a reason");
        return;
    }
    assert_eq!(inspection.findings, []);
    assert!((1..=LIMITS.max_pixels).contains(&pixels));
    assert_eq!(inspection.thumbnails.len(), 2);
    for thumbnail in &inspection.thumbnails {
        let longer = thumbnail.width.max(thumbnail.height);
        assert_eq!(longer, thumbnail.edge.pixels().min(inspection.width.max(inspection.height)));
        let header = jpeg_scale::read_header(&thumbnail.jpeg).expect("a thumbnail is a JPEG");
        assert_eq!(
            (u32::from(header.width), u32::from(header.height)),
            (thumbnail.width, thumbnail.height)
        );
        assert_eq!(header.unsupported, None);
    }
}
