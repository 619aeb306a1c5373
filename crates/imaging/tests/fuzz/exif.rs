//! Any bytes as the EXIF of a photo: no panic, and all metadata are fit for display: texts are short and printable, numbers
//! finite and in range.

use std::cell::RefCell;

use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_imaging::{Scratch, inspect_bytes};

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new().expect("threads"));
}

/// Frame header of an image above the limit of [`LIMITS`], so that nothing is decoded and all time is spent on EXIF.
const FRAME: [u8; 19] = [
    0xFF, 0xC0, 0, 17, 8, 0, 1, 0, 1, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0,
];
const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 0,
    min_edge: None,
};

pub(crate) fn check(data: &[u8]) {
    let Ok(length) = u16::try_from(data.len() + 8) else {
        return;
    };
    let file = [
        &[0xFF, 0xD8, 0xFF, 0xE1][..],
        &length.to_be_bytes(),
        b"Exif\0\0",
        data,
        &FRAME,
        &[0xFF, 0xD9],
    ]
    .concat();
    let metadata = SCRATCH
        .with_borrow_mut(|scratch| inspect_bytes(&file, LIMITS, scratch))
        .metadata;

    let camera = metadata.camera.unwrap_or_default();
    for text in [camera.make, camera.model, camera.lens, metadata.software]
        .into_iter()
        .flatten()
    {
        assert!(!text.trim().is_empty() && text.chars().count() <= 200);
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    assert!(
        metadata
            .orientation
            .is_none_or(|orientation| (1..=8).contains(&orientation))
    );
    if let Some(taken) = metadata.taken_at {
        assert!(taken.offset_minutes.is_none_or(|offset| offset.abs() < 15 * 60));
    }
    if let Some(location) = metadata.location {
        assert!((-90.0..=90.0).contains(&location.latitude), "{location:?}");
        assert!((-180.0..=180.0).contains(&location.longitude), "{location:?}");
        assert!(location.altitude.is_none_or(f64::is_finite), "{location:?}");
    }
    if let Some(exposure) = metadata.exposure {
        for number in [exposure.exposure_time, exposure.f_number, exposure.focal_length]
            .into_iter()
            .flatten()
        {
            assert!(number.is_finite() && number > 0.0, "{exposure:?}");
        }
    }
}
