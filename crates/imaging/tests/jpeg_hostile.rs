//! JPEGs whose headers lie, whose tables are none, or that end at a marker.

#[cfg(test)]
mod pictures;

use std::time::Duration;

use pictures::{cpu_time::CpuTime, *};
use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::photo::{Check, Finding};
use rapidphoto_imaging::max_memory_bytes;

/// Places of all markers with this code.
#[cfg(test)]
fn markers(file: &[u8], code: impl Fn(u8) -> bool) -> Vec<usize> {
    (0..file.len() - 1)
        .filter(|&at| file[at] == 0xFF && code(file[at + 1]))
        .collect()
}

#[cfg(test)]
fn both() -> [(bool, Vec<u8>); 2] {
    [false, true].map(|progressive| {
        let kind = Kind {
            progressive,
            ..Kind::default()
        };
        (progressive, picture(97, 61, &kind))
    })
}

#[test]
fn the_largest_size_that_can_be_said_costs_nothing() {
    const PIXELS: u64 = 65_535 * 65_535;
    for (progressive, mut file) in both() {
        let frame = markers(&file, |code| matches!(code, 0xC0 | 0xC2))[0];
        file[frame + 5..frame + 9].fill(0xFF);
        for coding in 0xC0..=0xC3 {
            file[frame + 1] = coding;
            let started = CpuTime::start();
            let inspection = inspect(&file);
            assert_eq!((inspection.width, inspection.height), (65_535, 65_535));
            assert!(
                inspection
                    .findings
                    .contains(&Finding::measured(Check::TooManyPixels, PIXELS, 100_000_000)),
                "{:?}",
                inspection.findings
            );
            assert!(inspection.thumbnails.is_empty());
            // Whoever allows so many pixels is told what is true of the file, without decoding it.
            let unlimited = InspectionLimits {
                max_pixels: u64::MAX,
                min_edge: None,
            };
            assert_eq!(max_memory_bytes(&file, unlimited), None);
            assert!(inspect_within(&file, unlimited).thumbnails.is_empty());
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "coding {coding:X}, progressive {progressive}: {:?}",
                started.elapsed()
            );
        }
    }
}

#[test]
fn tables_that_are_no_codes_are_corrupt() {
    type Spoil = fn(&mut [u8]);
    let spoils: [(&str, Spoil); 8] = [
        ("three codes of one bit", |table| table[1] = 3),
        ("more codes of all lengths than there is room for", |table| {
            table[1..17].fill(16);
        }),
        ("more codes than bytes", |table| table[16] = 255),
        ("no codes", |table| table[1..17].fill(0)),
        ("a class that there is not", |table| table[0] |= 0x20),
        ("a slot that there is not", |table| table[0] |= 0x04),
        ("another's slot, so that one is missing", |table| table[0] ^= 0x03),
        ("symbols that mean nothing", |table| table[17..].fill(0xFF)),
    ];
    for (progressive, file) in both() {
        let tables = markers(&file, |code| code == 0xC4);
        assert!(tables.len() > 1);
        for at in tables {
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            for (what, spoil) in spoils {
                let mut spoiled = file.clone();
                spoil(&mut spoiled[at + 4..at + 2 + length]);
                let what = format!("{what}, at {at}, progressive {progressive}");
                let inspection = inspect(&spoiled);
                assert_eq!(codes(&inspection), ["corrupt"], "{what}");
                assert!(inspection.thumbnails.is_empty(), "{what}");
            }
            for shorter in [2, 3, 18] {
                let mut spoiled = file.clone();
                spoiled[at + 2..at + 4].copy_from_slice(&[0, shorter]);
                spoiled.drain(at + 2 + usize::from(shorter)..at + 2 + length);
                let what = format!("{shorter} bytes, at {at}, progressive {progressive}");
                assert_eq!(codes(&inspect(&spoiled)), ["corrupt"], "{what}");
            }
        }
    }
}

#[test]
fn a_photo_that_ends_at_a_marker_is_corrupt() {
    for progressive in [false, true] {
        for restart in [0, 5] {
            let kind = Kind {
                progressive,
                restart,
                profile: vec![7; 300],
                exif: exif(1),
                ..Kind::default()
            };
            let file = picture(97, 61, &kind);
            assert_quarters(&inspect(&file), "all of it");
            let markers = markers(&file, |code| code != 0);
            assert!(markers.len() > 8);
            let (end, others) = markers.split_last().unwrap();
            assert_eq!(*end, file.len() - 2);
            for &at in others {
                for cut in (at..at + 5).filter(|cut| (4..*end).contains(cut)) {
                    let what = format!("{cut} of {}, progressive {progressive}", file.len());
                    let inspection = inspect(&file[..cut]);
                    assert_eq!(codes(&inspection), ["corrupt"], "{what}");
                    assert!(inspection.thumbnails.is_empty(), "{what}");
                    // Nor does an end make it whole; but a progressive file may have fewer scans than others.
                    if !progressive {
                        let ended = [&file[..cut], &[0xFF, 0xD9]].concat();
                        assert_refused(&ended, "corrupt", &what);
                    }
                }
            }
        }
    }
}
