//! What is no photo, or only a part of one, is told so and never costs more than it claims.

#[cfg(test)]
mod pictures;

use std::ops::Range;

use jpeg_encoder::SamplingFactor;
use pictures::*;
use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::{
    photo::{Check, Finding},
    values::MimeType,
};
use rapidphoto_sample_photos::{SamplePhoto, text_named_jpg, truncated};

/// The place of a marker.
#[cfg(test)]
fn marker(file: &[u8], code: u8) -> usize {
    file.windows(2).position(|bytes| bytes == [0xFF, code]).unwrap()
}

#[test]
fn what_is_no_picture_is_named() {
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
fn a_photo_that_ends_early_is_corrupt_wherever_it_ends() {
    let kinds = [
        Kind::default(),
        Kind {
            progressive: true,
            ..Kind::default()
        },
        Kind {
            restart: 5,
            sampling: SamplingFactor::R_4_4_4,
            ..Kind::default()
        },
    ];
    for kind in kinds {
        let photo = SamplePhoto {
            progressive: kind.progressive,
            ..SamplePhoto::new(3, 640, 480)
        };
        for file in [photo.jpeg(), picture(640, 480, &kind)] {
            assert!(inspect(&file).findings.is_empty());
            // The last two bytes are the end of image; the byte before may be padding only.
            let ends = (0..200).map(|part| truncated(&file, part, 200)).chain([
                &file[..file.len() - 4],
                &file[..file.len() - 6],
                &file[..file.len() - 20],
            ]);
            for part in ends.filter(|part| part.len() > 3) {
                let inspection = inspect(part);
                assert_eq!(
                    codes(&inspection),
                    ["corrupt"],
                    "{} of {} bytes",
                    part.len(),
                    file.len()
                );
                assert!(inspection.thumbnails.is_empty());
            }
        }
    }
}

#[test]
fn a_photo_that_ends_early_behind_a_made_up_end_is_corrupt() {
    let file = SamplePhoto::new(3, 640, 480).jpeg();
    for part in 60..100 {
        let mut shortened = truncated(&file, part, 100).to_vec();
        if shortened.last() == Some(&0xFF) {
            shortened.pop();
        }
        shortened.extend([0xFF, 0xD9]);
        assert_eq!(codes(&inspect(&shortened)), ["corrupt"], "{part} %");
    }
}

#[test]
fn a_photo_whose_rest_was_never_written_is_corrupt() {
    let file = SamplePhoto::new(3, 640, 480).jpeg();
    let mut sparse = file.clone();
    sparse[file.len() / 2..].fill(0);
    assert_eq!(inspect(&sparse).findings, [corrupt("truncated")]);
}

#[test]
fn a_photo_that_misses_only_its_end_marker_is_whole() {
    for progressive in [false, true] {
        for restart in [0, 5] {
            let file = picture(
                500,
                300,
                &Kind {
                    progressive,
                    restart,
                    ..Kind::default()
                },
            );
            assert_quarters(&inspect(&file[..file.len() - 2]), "without an end");
            assert_quarters(&inspect(&file[..file.len() - 1]), "with half an end");
        }
    }
}

#[test]
fn what_follows_a_photo_does_not_matter() {
    let file = picture(500, 300, &Kind::default());
    for rest in [
        vec![0; 1_000_000],
        b"<script>alert(1)</script>".to_vec(),
        file.clone(),
        vec![0xFF; 99],
    ] {
        assert_quarters(&inspect(&[file.clone(), rest].concat()), "with a rest");
    }
}

#[test]
fn bytes_that_some_programs_add_do_not_matter() {
    let file = picture(500, 300, &Kind::default());
    let scan = marker(&file, 0xDA);
    let mut stray = file.clone();
    stray.splice(scan..scan, [0x00, 0x12, 0xFF, 0xFF]);
    assert_quarters(&inspect(&stray), "stray and fill bytes before a marker");
    let mut padded = file.clone();
    padded.splice(file.len() - 2..file.len() - 2, [0xFF; 9]);
    assert_quarters(&inspect(&padded), "fill bytes before the end");
}

/// Where the scans of a file are, from their headers to the next marker.
#[cfg(test)]
fn scans(file: &[u8]) -> Vec<Range<usize>> {
    let is_end = |at: &usize| file[*at] == 0xFF && !matches!(file[*at + 1], 0 | 0xD0..=0xD7);
    (0..file.len() - 1)
        .filter(|&at| file[at..at + 2] == [0xFF, 0xDA])
        .map(|from| from..(from + 2..file.len() - 1).find(is_end).unwrap())
        .collect()
}

/// A file with something more at one place.
#[cfg(test)]
fn with(file: &[u8], at: usize, more: &[u8]) -> Vec<u8> {
    [&file[..at], more, &file[at..]].concat()
}

#[test]
fn what_comes_too_much_in_a_progressive_photo_does_not_matter() {
    let kind = Kind {
        progressive: true,
        ..Kind::default()
    };
    // At the full size all scans are read, at half of it some.
    for (width, height) in [(500, 300), (3000, 600)] {
        let file = picture(width, height, &kind);
        let scans = scans(&file);
        assert!(scans.len() > 5);
        for (number, scan) in scans.into_iter().enumerate() {
            let padded = with(&file, scan.end, &[0; 4]);
            assert_quarters(&inspect(&padded), &format!("zeros behind scan {number}"));
            let twice = with(&file, scan.end, &file[scan.clone()]);
            assert_quarters(&inspect(&twice), &format!("scan {number} twice"));
        }
    }
}

#[test]
fn what_comes_too_much_never_hides_what_is_missing() {
    let kind = Kind {
        progressive: true,
        ..Kind::default()
    };
    let file = picture(500, 300, &kind);
    let scans = scans(&file);
    let [first, second] = [scans[0].clone(), scans[1].clone()];
    let padded = with(&file, first.end, &[0; 4]);
    let within = padded.len() - file.len() + second.start + second.len() / 2;
    let cut = [&padded[..within], &padded[second.end + 4..]].concat();
    assert_eq!(
        inspect(&cut).findings,
        [corrupt("undecodable")],
        "the next scan is cut"
    );
    let mut broken = padded.clone();
    // No code consists of ones only.
    broken.splice(within..within + 20, [0xFF, 0].repeat(10));
    assert_eq!(
        inspect(&broken).findings,
        [corrupt("undecodable")],
        "the next scan is broken"
    );
    let mut instead = file.clone();
    let again = instead[first].to_vec();
    instead.splice(second, again);
    assert_eq!(
        inspect(&instead).findings,
        [corrupt("undecodable")],
        "the next scan is the same"
    );
}

#[test]
fn a_picture_without_pixels_is_corrupt() {
    let file = picture(500, 300, &Kind::default());
    let frame = marker(&file, 0xC0);
    for edge in [frame + 5, frame + 7] {
        let mut empty = file.clone();
        empty[edge..edge + 2].fill(0);
        assert_eq!(inspect(&empty).findings, [corrupt("no_pixels")]);
    }
}

#[test]
fn dimensions_are_judged_before_anything_is_allocated() {
    let mut file = picture(16, 16, &Kind::default());
    let frame = marker(&file, 0xC0);
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
    // Within the limit, but no file of this length has so many blocks.
    file[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    file.extend([0xFF, 0xD9]);
    assert_eq!(inspect(&file).findings, [corrupt("truncated")]);
}

#[test]
fn limits_are_inclusive() {
    let file = picture(500, 300, &Kind::default());
    let within = InspectionLimits {
        max_pixels: 150_000,
        min_edge: Some(300),
    };
    assert_quarters(&inspect_within(&file, within), "just within");
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
fn a_photo_that_is_only_small_still_gets_its_thumbnails() {
    let limits = InspectionLimits {
        max_pixels: 1_000_000,
        min_edge: Some(1000),
    };
    let inspection = inspect_within(&picture(500, 300, &Kind::default()), limits);
    assert_eq!(
        inspection.findings,
        [Finding::measured(Check::TooSmallResolution, 300, 1000)]
    );
    assert_eq!(inspection.thumbnails.len(), 2);
}

#[test]
fn kinds_that_can_not_be_read_are_named() {
    let file = picture(64, 64, &Kind::default());
    let frame = marker(&file, 0xC0);
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
        [unsupported("image/jpeg with more than 8 bits a sample")]
    );
}

#[test]
fn files_that_are_made_to_keep_a_decoder_busy_are_refused() {
    let file = picture(64, 64, &Kind::default());
    let tables = marker(&file, 0xDB);
    let mut crowded = file.clone();
    crowded.splice(tables..tables, [0xFF, 0xFE, 0, 2].repeat(100_000));
    assert_eq!(inspect(&crowded).findings, [corrupt("too_many_parts")]);

    let progressive = picture(
        64,
        64,
        &Kind {
            progressive: true,
            ..Kind::default()
        },
    );
    let scan = marker(&progressive, 0xDA);
    let mut endless = progressive[..scan].to_vec();
    for _ in 0..5_000 {
        endless.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0x10, 0]);
    }
    endless.extend(&progressive[scan..]);
    assert_eq!(inspect(&endless).findings, [corrupt("too_many_parts")]);
}

#[test]
fn a_truncated_photo_still_tells_what_its_header_says() {
    let photo = SamplePhoto::new(5, 640, 480).turned(rapidphoto_sample_photos::Orientation::ALL[7]);
    let file = photo.jpeg();
    let inspection = inspect(truncated(&file, 1, 2));
    assert_eq!((inspection.width, inspection.height), (640, 480));
    assert_eq!(
        inspection.metadata.camera.unwrap().make.as_deref(),
        Some(photo.camera().make)
    );
}
