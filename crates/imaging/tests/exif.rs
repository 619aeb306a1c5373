//! EXIF is read where it is sane, and never harms where it is not.

#[cfg(test)]
mod pictures;

use std::time::Duration;

use exif::{In, Reader, Tag};
use pictures::{cpu_time::CpuTime, *};
use rapidphoto_application::ports::PhotoMetadata;
use rapidphoto_sample_photos::{CameraFacts, Entry, Orientation, SamplePhoto, Tiff, Value};

fn metadata(exif: &[u8]) -> PhotoMetadata {
    let kind = Kind {
        exif: exif.to_vec(),
        ..Kind::default()
    };
    let inspection = inspect(&picture(64, 48, &kind));
    assert_eq!(inspection.findings, [], "EXIF never costs a photo");
    assert_eq!(inspection.thumbnails.len(), 2);
    inspection.metadata
}

fn facts() -> CameraFacts {
    SamplePhoto::new(21, 1, 1).camera()
}

#[test]
fn what_a_camera_writes_is_read() {
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
        let same = |value: Option<f64>, (numerator, denominator): (u32, u32)| {
            (value.unwrap() - f64::from(numerator) / f64::from(denominator)).abs() < 1e-12
        };
        assert!(same(exposure.exposure_time, facts.exposure_time));
        assert!(same(exposure.f_number, facts.f_number));
        assert!(same(exposure.focal_length, facts.focal_length));
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
fn both_byte_orders_say_the_same() {
    let little = facts().tiff(3, 64, 48);
    let big = Tiff {
        big_endian: true,
        ..little.clone()
    };
    assert_ne!(metadata(&little.bytes()), PhotoMetadata::default());
    assert_eq!(metadata(&little.bytes()), metadata(&big.bytes()));
}

#[test]
fn an_independent_reader_agrees() {
    let bytes = facts().tiff(6, 64, 48).bytes();
    let theirs = Reader::new().read_raw(bytes.clone()).unwrap();
    let text = |tag: Tag| {
        let value = theirs
            .get_field(tag, In::PRIMARY)
            .unwrap()
            .display_value()
            .to_string();
        Some(value.trim_matches('"').to_owned())
    };
    let ours = metadata(&bytes);
    let camera = ours.camera.unwrap();
    assert_eq!(camera.make, text(Tag::Make));
    assert_eq!(camera.model, text(Tag::Model));
    assert_eq!(camera.lens, text(Tag::LensModel));
    assert_eq!(
        ours.taken_at.map(|taken| taken.local.to_string()),
        text(Tag::DateTimeOriginal)
    );
    assert_eq!(
        ours.exposure.unwrap().iso.map(|iso| iso.to_string()),
        text(Tag::PhotographicSensitivity)
    );
}

#[test]
fn no_byte_of_it_can_harm() {
    // Every byte set to each of some hostile values: wrong types, counts, offsets, loops.
    let bytes = facts().tiff(1, 64, 48).bytes();
    let picture = picture(8, 8, &Kind::default());
    let start = CpuTime::start();
    for at in 0..bytes.len() {
        for value in [0, 1, 8, 0x7F, 0x80, 0xFF] {
            let mut hostile = bytes.clone();
            hostile[at] = value;
            let mut file = picture[..2].to_vec();
            file.extend([0xFF, 0xE1]);
            file.extend(u16::try_from(hostile.len() + 8).unwrap().to_be_bytes());
            file.extend(b"Exif\0\0");
            file.extend(&hostile);
            // A file that ends here is inspected up to its EXIF and no further.
            let metadata = inspect_cheaply(&file);
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

#[cfg(test)]
fn inspect_cheaply(file: &[u8]) -> PhotoMetadata {
    thread_local! {
        static SCRATCH: std::cell::RefCell<rapidphoto_imaging::Scratch> =
            std::cell::RefCell::new(rapidphoto_imaging::Scratch::new().unwrap());
    }
    SCRATCH.with_borrow_mut(|scratch| rapidphoto_imaging::inspect_bytes(file, LIMITS, scratch).metadata)
}

#[test]
fn directories_that_lead_in_circles_end() {
    // Every entry of a full segment leads to the first directory again.
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
fn endless_counts_and_wrong_offsets_make_a_value_missing_and_no_more() {
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend(4_u16.to_be_bytes());
    for (tag, kind, count, value) in [
        (0x010F_u16, 2_u16, u32::MAX, 0_u32),
        (0x0110, 2, 100, 0xFFFF_FF00),
        (0x0131, 5, 0x2000_0001, 8),
        (0x0112, 3, 1, 6 << 16),
    ] {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(kind.to_be_bytes());
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
fn texts_with_nuls_and_controls_are_cut_or_refused() {
    let text = |value: &str| Value::Text(value.to_owned());
    let tiff = Tiff {
        big_endian: false,
        entries: vec![
            Entry::new(0x010F, text("Maker\0and a secret behind it")),
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
fn numbers_out_of_range_are_missing() {
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
fn unknown_tags_are_not_kept() {
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
