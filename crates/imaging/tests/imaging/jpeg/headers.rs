//! Frame headers and Huffman tables that are invalid, unsupported or too large.

use std::time::Duration;

use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::photo::{Check, Finding};
use rapidphoto_imaging::max_memory_bytes;

use super::{baseline_and_progressive, marker_position, marker_positions};
use crate::fixtures::{cpu_time::CpuTime, *};

#[test]
fn a_jpeg_without_pixels_is_corrupt() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    let frame = marker_position(&file, 0xC0);
    for edge in [frame + 5, frame + 7] {
        let mut empty = file.clone();
        empty[edge..edge + 2].fill(0);
        assert_eq!(inspect(&empty).findings, [corrupt("no_pixels")]);
    }
}

#[test]
fn dimensions_are_checked_before_allocation() {
    let mut file = quarters_jpeg(16, 16, &JpegOptions::default());
    let frame = marker_position(&file, 0xC0);
    file[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    file.truncate(700);
    let inspection = inspect(&file);
    assert_eq!((inspection.width, inspection.height), (65_500, 65_500));
    assert!(
        inspection.findings.contains(&Finding::measured(
            Check::TooManyPixels,
            65_500 * 65_500,
            100_000_000
        )),
        "{:?}",
        inspection.findings
    );
    // Within the limit, but a file of this length is too short for so many blocks.
    file[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    file.extend([0xFF, 0xD9]);
    assert_eq!(inspect(&file).findings, [corrupt("truncated")]);
}

#[test]
fn the_maximum_declared_size_is_rejected_without_decoding() {
    const PIXELS: u64 = 65_535 * 65_535;
    for (progressive, mut file) in baseline_and_progressive() {
        let frame = marker_positions(&file, |code| matches!(code, 0xC0 | 0xC2))[0];
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
            // Even if so many pixels are allowed the file is not decoded, because it is too short.
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
fn unsupported_coding_processes_are_reported() {
    let file = quarters_jpeg(64, 64, &JpegOptions::default());
    let frame = marker_position(&file, 0xC0);
    for (code, name) in [
        (0xC3, "image/jpeg, lossless"),
        (0xC5, "image/jpeg, hierarchical"),
        (0xC9, "image/jpeg with arithmetic coding"),
    ] {
        let mut other = file.clone();
        other[frame + 1] = code;
        assert_eq!(inspect(&other).findings, [unsupported(name)]);
    }
    let mut deep = file.clone();
    deep[frame + 1] = 0xC1;
    deep[frame + 4] = 12;
    assert_eq!(
        inspect(&deep).findings,
        [unsupported("image/jpeg with more than 8 bits per sample")]
    );
}

#[test]
fn invalid_huffman_tables_are_corrupt() {
    type Change = fn(&mut [u8]);
    let changes: [(&str, Change); 8] = [
        ("three codes of one bit", |table| table[1] = 3),
        ("too many codes of all lengths", |table| {
            table[1..17].fill(16);
        }),
        ("more codes than symbols", |table| table[16] = 255),
        ("no codes", |table| table[1..17].fill(0)),
        ("an invalid table class", |table| table[0] |= 0x20),
        ("an invalid table destination", |table| table[0] |= 0x04),
        (
            "the destination of another table, which leaves one undefined",
            |table| table[0] ^= 0x03,
        ),
        ("invalid symbols", |table| table[17..].fill(0xFF)),
    ];
    for (progressive, file) in baseline_and_progressive() {
        let tables = marker_positions(&file, |code| code == 0xC4);
        assert!(tables.len() > 1);
        for at in tables {
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            for (case, change) in changes {
                let mut damaged = file.clone();
                change(&mut damaged[at + 4..at + 2 + length]);
                let case = format!("{case}, at {at}, progressive {progressive}");
                let inspection = inspect(&damaged);
                assert_eq!(finding_codes(&inspection), ["corrupt"], "{case}");
                assert!(inspection.thumbnails.is_empty(), "{case}");
            }
            for shorter in [2, 3, 18] {
                let mut damaged = file.clone();
                damaged[at + 2..at + 4].copy_from_slice(&[0, shorter]);
                damaged.drain(at + 2 + usize::from(shorter)..at + 2 + length);
                let case = format!("{shorter} bytes, at {at}, progressive {progressive}");
                assert_eq!(finding_codes(&inspect(&damaged)), ["corrupt"], "{case}");
            }
        }
    }
}
