//! EXIF metadata is read where it is valid. Invalid metadata is skipped and never makes a photo fail.

use std::time::Duration;

use ::exif::{In, Reader, Tag};
use rapidphoto_application::ports::PhotoMetadata;
use rapidphoto_sample_photos::{CameraFacts, Entry, Orientation, SamplePhoto, Tiff, Value};

use crate::fixtures::{cpu_time::CpuTime, *};

/// Metadata of a JPEG with this EXIF.
fn metadata(exif: &[u8]) -> PhotoMetadata {
    let options = JpegOptions {
        exif: exif.to_vec(),
        ..JpegOptions::default()
    };
    let inspection = inspect(&quarters_jpeg(64, 48, &options));
    assert_eq!(inspection.findings, [], "EXIF never gives a finding");
    assert_eq!(inspection.thumbnails.len(), 2);
    inspection.metadata
}

fn facts() -> CameraFacts {
    SamplePhoto::new(21, 1, 1).camera()
}

#[test]
fn all_metadata_of_a_camera_is_read() {
    for (seed, orientation) in (0..12).zip(Orientation::ALL.into_iter().cycle()) {
        let photo = SamplePhoto::new(seed, 64, 48).turned(orientation);
        let facts = photo.camera();
        let metadata = inspect(&photo.jpeg()).metadata;
        let camera = metadata.camera.unwrap();
        assert_eq!(camera.make.as_deref(), Some(facts.make));
        assert_eq!(camera.model.as_deref(), Some(facts.model));
        assert_eq!(camera.lens.as_deref(), Some(facts.lens));
        let taken = metadata.taken_at.unwrap();
        assert_eq!(
            taken.local.format("%Y:%m:%d %H:%M:%S").to_string(),
            facts.taken_at
        );
        let minutes = taken.offset_minutes.unwrap();
        let sign = if minutes < 0 { '-' } else { '+' };
        assert_eq!(
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60),
            facts.offset
        );
        let exposure = metadata.exposure.unwrap();
        let is_equal = |value: Option<f64>, (numerator, denominator): (u32, u32)| {
            (value.unwrap() - f64::from(numerator) / f64::from(denominator)).abs() < 1e-12
        };
        assert!(is_equal(exposure.exposure_time, facts.exposure_time));
        assert!(is_equal(exposure.f_number, facts.f_number));
        assert!(is_equal(exposure.focal_length, facts.focal_length));
        assert_eq!(exposure.iso, Some(u32::from(facts.iso)));
        let location = metadata.location.unwrap();
        assert!((location.latitude - f64::from(facts.place.latitude) / 1e6).abs() < 1e-6);
        assert!((location.longitude - f64::from(facts.place.longitude) / 1e6).abs() < 1e-6);
        assert!((location.altitude.unwrap() - f64::from(facts.place.altitude) / 100.0).abs() < 1e-9);
        assert_eq!(metadata.orientation, Some(photo.orientation.exif()));
        assert_eq!(metadata.software.as_deref(), Some("rapidphoto sample"));
    }
}

#[test]
fn both_byte_orders_give_the_same_metadata() {
    let little = facts().tiff(3, 64, 48);
    let big = Tiff {
        big_endian: true,
        ..little.clone()
    };
    assert_ne!(metadata(&little.bytes()), PhotoMetadata::default());
    assert_eq!(metadata(&little.bytes()), metadata(&big.bytes()));
}

#[test]
fn metadata_equals_that_of_an_independent_reader() {
    let bytes = facts().tiff(6, 64, 48).bytes();
    let expected = Reader::new().read_raw(bytes.clone()).unwrap();
    let text = |tag: Tag| {
        let value = expected
            .get_field(tag, In::PRIMARY)
            .unwrap()
            .display_value()
            .to_string();
        Some(value.trim_matches('"').to_owned())
    };
    let actual = metadata(&bytes);
    let camera = actual.camera.unwrap();
    assert_eq!(camera.make, text(Tag::Make));
    assert_eq!(camera.model, text(Tag::Model));
    assert_eq!(camera.lens, text(Tag::LensModel));
    assert_eq!(
        actual.taken_at.map(|taken| taken.local.to_string()),
        text(Tag::DateTimeOriginal)
    );
    assert_eq!(
        actual.exposure.unwrap().iso.map(|iso| iso.to_string()),
        text(Tag::PhotographicSensitivity)
    );
}

#[test]
fn no_wrong_byte_gives_invalid_metadata() {
    // Bytes set to values that make wrong types, counts, offsets and loops.
    let bytes = facts().tiff(1, 64, 48).bytes();
    let image = quarters_jpeg(8, 8, &JpegOptions::default());
    let start = CpuTime::start();
    for at in 0..bytes.len() {
        for value in [0, 1, 8, 0x7F, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] = value;
            let mut file = image[..2].to_vec();
            file.extend([0xFF, 0xE1]);
            file.extend(u16::try_from(changed.len() + 8).unwrap().to_be_bytes());
            file.extend(b"Exif\0\0");
            file.extend(&changed);
            // The file ends after its EXIF, so that it is not decoded.
            let metadata = metadata_of_file(&file);
            assert!(
                metadata
                    .orientation
                    .is_none_or(|number| (1..=8).contains(&number))
            );
            if let Some(location) = metadata.location {
                assert!(location.latitude.abs() <= 90.0 && location.longitude.abs() <= 180.0);
                assert!(location.altitude.is_none_or(f64::is_finite));
            }
            if let Some(camera) = metadata.camera {
                for name in [camera.make, camera.model, camera.lens].into_iter().flatten() {
                    assert!(!name.contains(char::is_control) && name.chars().count() <= 200);
                }
            }
        }
    }
    assert!(start.elapsed() < Duration::from_mins(1));
}

/// Metadata of a file, with buffers that are reused from file to file.
fn metadata_of_file(file: &[u8]) -> PhotoMetadata {
    thread_local! {
        static SCRATCH: std::cell::RefCell<rapidphoto_imaging::Scratch> =
            std::cell::RefCell::new(rapidphoto_imaging::Scratch::new().unwrap());
    }
    SCRATCH.with_borrow_mut(|scratch| rapidphoto_imaging::inspect_bytes(file, LIMITS, scratch).metadata)
}

#[test]
fn circular_directories_are_bounded() {
    // Every entry of a segment of maximum length refers to the first directory.
    for pointer in [0x8769_u16, 0x8825, 0xA005] {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend(u16::MAX.to_le_bytes());
        while bytes.len() < 65_000 {
            bytes.extend(pointer.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(8_u32.to_le_bytes());
        }
        let start = CpuTime::start();
        assert_eq!(metadata(&bytes), PhotoMetadata::default());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn values_with_invalid_counts_or_offsets_are_skipped() {
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend(4_u16.to_be_bytes());
    for (tag, field_type, count, value) in [
        (0x010F_u16, 2_u16, u32::MAX, 0_u32),
        (0x0110, 2, 100, 0xFFFF_FF00),
        (0x0131, 5, 0x2000_0001, 8),
        (0x0112, 3, 1, 6 << 16),
    ] {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(field_type.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.extend(value.to_be_bytes());
    }
    let expected = PhotoMetadata {
        orientation: Some(6),
        ..PhotoMetadata::default()
    };
    assert_eq!(metadata(&bytes), expected);
}

#[test]
fn texts_end_at_nul_and_are_skipped_with_control_characters() {
    let text = |value: &str| Value::Text(value.to_owned());
    let tiff = Tiff {
        big_endian: false,
        entries: vec![
            Entry::new(0x010F, text("Maker\0and more after it")),
            Entry::new(0x0110, text("bell\u{7}")),
            Entry::new(0x0131, text(&"x".repeat(5000))),
        ],
    };
    let metadata = metadata(&tiff.bytes());
    let camera = metadata.camera.unwrap();
    assert_eq!((camera.make.as_deref(), camera.model), (Some("Maker"), None));
    assert_eq!(metadata.software.map(|text| text.len()), Some(200));
}

#[test]
fn numbers_out_of_range_are_skipped() {
    let gps = |latitude: Vec<(u32, u32)>, side: &str| {
        Value::Directory(vec![
            Entry::new(1, Value::Text(side.to_owned())),
            Entry::new(2, Value::Rationals(latitude)),
            Entry::new(3, Value::Text("E".to_owned())),
            Entry::new(4, Value::Rationals(vec![(11, 1), (30, 1), (0, 1)])),
        ])
    };
    let located = |gps: Value| {
        let tiff = Tiff {
            big_endian: false,
            entries: vec![Entry::new(0x8825, gps)],
        };
        metadata(&tiff.bytes()).location
    };
    assert_eq!(
        located(gps(vec![(48, 1), (30, 1), (0, 1)], "S")).map(|place| place.latitude),
        Some(-48.5)
    );
    assert!(located(gps(vec![(91, 1), (0, 1), (0, 1)], "N")).is_none());
    assert!(located(gps(vec![(0, 0), (0, 0), (0, 0)], "N")).is_none());
    assert!(located(gps(vec![(48, 1), (30, 1), (0, 1)], "?")).is_none());
    let exposure = Tiff {
        big_endian: false,
        entries: vec![Entry::new(
            0x8769,
            Value::Directory(vec![
                Entry::new(0x829A, Value::Rationals(vec![(1, 0)])),
                Entry::new(0x829D, Value::Rationals(vec![(0, 1)])),
                Entry::new(0x8827, Value::Longs(vec![u32::MAX])),
                Entry::new(0x9003, Value::Text("2024:13:45 25:61:61".to_owned())),
            ]),
        )],
    };
    assert_eq!(metadata(&exposure.bytes()), PhotoMetadata::default());
}

#[test]
fn unknown_tags_are_ignored() {
    let tiff = Tiff {
        big_endian: false,
        entries: vec![
            Entry::new(0x0112, Value::Shorts(vec![1])),
            Entry::new(0x9286, Value::Undefined(b"a private comment".to_vec())),
            Entry::new(0xC634, Value::Bytes(vec![1; 5000])),
        ],
    };
    let expected = PhotoMetadata {
        orientation: Some(1),
        ..PhotoMetadata::default()
    };
    assert_eq!(metadata(&tiff.bytes()), expected);
}
