//! Files that end early or have bytes after their end.

use jpeg_encoder::SamplingFactor;
use rapidphoto_sample_photos::{SamplePhoto, truncated};

use super::{insert, marker_position, marker_positions};
use crate::fixtures::{cpu_time::CpuTime, *};

#[test]
fn a_jpeg_truncated_anywhere_is_corrupt() {
    let variants = [
        JpegOptions::default(),
        JpegOptions {
            progressive: true,
            ..JpegOptions::default()
        },
        JpegOptions {
            restart: 5,
            sampling: SamplingFactor::R_4_4_4,
            ..JpegOptions::default()
        },
    ];
    for options in variants {
        let photo = SamplePhoto {
            progressive: options.progressive,
            ..SamplePhoto::new(3, 640, 480)
        };
        for file in [photo.jpeg(), quarters_jpeg(640, 480, &options)] {
            assert!(inspect(&file).findings.is_empty());
            // The last two bytes are the end marker; the byte before it may be padding only.
            let ends = (0..200).map(|part| truncated(&file, part, 200)).chain([
                &file[..file.len() - 4],
                &file[..file.len() - 6],
                &file[..file.len() - 20],
            ]);
            for start in ends.filter(|start| start.len() > 3) {
                let inspection = inspect(start);
                assert_eq!(
                    finding_codes(&inspection),
                    ["corrupt"],
                    "{} of {} bytes",
                    start.len(),
                    file.len()
                );
                assert!(inspection.thumbnails.is_empty());
            }
        }
    }
}

#[test]
fn a_truncated_jpeg_with_an_added_end_marker_is_corrupt() {
    let file = SamplePhoto::new(3, 640, 480).jpeg();
    for part in 60..100 {
        let mut shortened = truncated(&file, part, 100).to_vec();
        if shortened.last() == Some(&0xFF) {
            shortened.pop();
        }
        shortened.extend([0xFF, 0xD9]);
        assert_eq!(finding_codes(&inspect(&shortened)), ["corrupt"], "{part} %");
    }
}

#[test]
fn a_jpeg_whose_second_half_is_zeros_is_corrupt() {
    let file = SamplePhoto::new(3, 640, 480).jpeg();
    let mut half_zero = file.clone();
    half_zero[file.len() / 2..].fill(0);
    assert_eq!(inspect(&half_zero).findings, [corrupt("truncated")]);
}

#[test]
fn a_jpeg_without_its_end_marker_is_complete() {
    for progressive in [false, true] {
        for restart in [0, 5] {
            let file = quarters_jpeg(
                500,
                300,
                &JpegOptions {
                    progressive,
                    restart,
                    ..JpegOptions::default()
                },
            );
            assert_quarters(&inspect(&file[..file.len() - 2]), "without an end marker");
            assert_quarters(&inspect(&file[..file.len() - 1]), "with half an end marker");
        }
    }
}

#[test]
fn a_jpeg_truncated_at_a_marker_is_corrupt() {
    for progressive in [false, true] {
        for restart in [0, 5] {
            let options = JpegOptions {
                progressive,
                restart,
                profile: vec![7; 300],
                exif: exif(1),
                ..JpegOptions::default()
            };
            let file = quarters_jpeg(97, 61, &options);
            assert_quarters(&inspect(&file), "the complete file");
            let markers = marker_positions(&file, |code| code != 0);
            assert!(markers.len() > 8);
            let (end, others) = markers.split_last().unwrap();
            assert_eq!(*end, file.len() - 2);
            for &at in others {
                for cut in (at..at + 5).filter(|cut| (4..*end).contains(cut)) {
                    let case = format!("{cut} of {}, progressive {progressive}", file.len());
                    let inspection = inspect(&file[..cut]);
                    assert_eq!(finding_codes(&inspection), ["corrupt"], "{case}");
                    assert!(inspection.thumbnails.is_empty(), "{case}");
                    // An end marker does not make it complete. A progressive file may have fewer scans, though.
                    if !progressive {
                        let ended = [&file[..cut], &[0xFF, 0xD9]].concat();
                        assert_rejected(&ended, "corrupt", &case);
                    }
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_end_marker_are_ignored() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    for trailing in [
        vec![0; 1_000_000],
        b"<script>alert(1)</script>".to_vec(),
        file.clone(),
        vec![0xFF; 99],
    ] {
        assert_quarters(
            &inspect(&[file.clone(), trailing].concat()),
            "with trailing bytes",
        );
    }
}

#[test]
fn stray_and_fill_bytes_before_markers_are_ignored() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    let scan = marker_position(&file, 0xDA);
    let stray = insert(&file, scan, &[0x00, 0x12, 0xFF, 0xFF]);
    assert_quarters(&inspect(&stray), "stray and fill bytes before a marker");
    let padded = insert(&file, file.len() - 2, &[0xFF; 9]);
    assert_quarters(&inspect(&padded), "fill bytes before the end");
}

#[test]
fn a_gigabyte_after_the_end_marker_is_not_read() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    // Pages of zeros take memory only when they are written to.
    let mut large = vec![0; 1 << 30];
    large[..file.len()].copy_from_slice(&file);
    let inspecting = CpuTime::start();
    assert_quarters(&inspect(&large), "with a trailing gigabyte");
    let inspecting = inspecting.elapsed();
    // One byte of every cache line: the least that a search could take.
    let reading = CpuTime::start();
    assert!(large[file.len()..].iter().step_by(64).all(|byte| *byte == 0));
    let reading = reading.elapsed();
    assert!(
        inspecting < reading / 2,
        "{inspecting:?}, {reading:?} to read the file"
    );
}
