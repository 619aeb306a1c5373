//! Truncated and damaged files, and unsupported features.

use rapidphoto_domain::photo::{Check, Finding};
use rapidphoto_sample_photos::{Entry, Value};

use super::{BLACK_IS_ZERO, NOISE_SIZE, PALETTE, RGB, UNUSUAL_JPEG, file_with_entries, noise};
use crate::fixtures::{
    tiff::{TiffImage, longs, short, shorts},
    *,
};

#[test]
fn a_tiff_truncated_anywhere_is_corrupt() {
    for chunk in [(None, 8), (Some(32), 16)] {
        let tiff = TiffImage {
            chunk,
            ..TiffImage::new(NOISE_SIZE, 8, 3, RGB)
        };
        let file = tiff.file(noise);
        assert_eq!(inspect(&file).findings, []);
        let step = (file.len() / 500).max(1);
        for end in (8..400)
            .chain((400..file.len()).step_by(step))
            .chain([file.len() - 1])
        {
            assert_rejected(&file[..end], "corrupt", &format!("{end} of {}", file.len()));
        }
        // The directory is beyond the end of the file.
        assert_eq!(inspect(b"II*\0\0\x10\0\0").findings, [corrupt("truncated")]);
    }
}

#[test]
fn a_truncated_deflate_stream_is_corrupt() {
    let rows: Vec<u8> = (0..61)
        .flat_map(|y| (0..97).flat_map(move |x| noise(x, y)))
        .map(|sample| sample.try_into().unwrap())
        .collect();
    let stream = fdeflate::compress_to_vec(&rows);
    let tiff = TiffImage {
        chunk: (None, NOISE_SIZE.1),
        entries: vec![short(259, 8)],
        ..TiffImage::new(NOISE_SIZE, 8, 3, RGB)
    };
    assert_eq!(
        inspect(&tiff.file_with_chunks(std::slice::from_ref(&stream))).findings,
        []
    );
    for part in 0..20 {
        let cut = stream[..stream.len() * part / 20].to_vec();
        assert_eq!(
            inspect(&tiff.file_with_chunks(&[cut])).findings,
            [corrupt("undecodable")],
            "{part} of 20"
        );
    }
}

#[test]
fn flipped_bits_give_thumbnails_or_findings() {
    for chunk in [(None, 8), (Some(32), 16)] {
        let tiff = TiffImage {
            chunk,
            ..TiffImage::new(NOISE_SIZE, 8, 3, RGB)
        };
        let file = tiff.file(noise);
        assert_bit_flips_are_handled(&file, 0..400);
    }
}

#[test]
fn dimensions_are_checked_before_allocation() {
    let inspect_declared = |width: u32, height: u32| {
        inspect(&file_with_entries(vec![
            longs(256, &[width]),
            longs(257, &[height]),
        ]))
    };
    for (width, height) in [(65_500, 65_500), (u32::MAX, u32::MAX), (u32::MAX, 1)] {
        let pixels = u64::from(width) * u64::from(height);
        let findings = inspect_declared(width, height).findings;
        assert!(
            findings.contains(&Finding::measured(Check::TooManyPixels, pixels, 100_000_000)),
            "{findings:?}"
        );
    }
    assert_eq!(inspect_declared(0, 10).findings, [corrupt("no_pixels")]);
    assert_eq!(inspect_declared(10, 0).findings, [corrupt("no_pixels")]);
    assert_eq!(inspect_declared(9_000, 9_000).findings, [corrupt("malformed")]);
    // A single strip for all rows.
    let inspect_one_strip = |height: u32| {
        let tiff = TiffImage {
            entries: vec![longs(257, &[height]), longs(278, &[u32::MAX])],
            ..TiffImage::new((9_000, 1), 16, 4, RGB)
        };
        inspect(&tiff.file_with_chunks(&[vec![0; 72_000]]))
    };
    assert_eq!(inspect_one_strip(1).findings, []);
    assert_eq!(inspect_one_strip(9_000).findings, [corrupt("undecodable")]);
}

#[test]
fn unsupported_features_are_reported() {
    let cases = [
        (
            "image/x-adobe-dng",
            vec![Entry::new(50_706, Value::Bytes(vec![1, 4, 0, 0]))],
        ),
        (
            "image/tiff with camera raw data",
            vec![longs(254, &[1]), longs(330, &[8])],
        ),
        ("image/tiff with camera raw data", vec![short(262, 32_803)]),
        ("image/tiff with camera raw data", vec![short(262, 34_892)]),
        (UNUSUAL_JPEG, vec![short(259, 7), short(277, 4)]),
        (UNUSUAL_JPEG, vec![short(259, 7), short(284, 2)]),
        (UNUSUAL_JPEG, vec![short(259, 7), short(262, 5)]),
        (UNUSUAL_JPEG, vec![short(259, 6)]),
        ("image/tiff with an unsupported compression", vec![short(259, 4)]),
        (
            "image/tiff with an unsupported compression",
            vec![short(259, 34_713)],
        ),
        ("image/tiff with non-integer samples", vec![short(339, 3)]),
        (
            "image/tiff with an unsupported number of bits or channels",
            vec![short(262, 3)],
        ),
        ("image/tiff with an unsupported colour space", vec![short(262, 6)]),
        ("image/tiff with an unsupported colour space", vec![short(262, 8)]),
        (
            "image/tiff with an unsupported number of bits or channels",
            vec![Entry::new(258, Value::Shorts(vec![32; 3]))],
        ),
        (
            "image/tiff with an unsupported number of bits or channels",
            vec![Entry::new(258, Value::Shorts(vec![12; 3]))],
        ),
        (
            "image/tiff with an unsupported number of bits or channels",
            vec![short(277, 2)],
        ),
    ];
    for (name, entries) in cases {
        let file = file_with_entries(entries.clone());
        let inspection = inspect(&file);
        assert_eq!(inspection.findings, [unsupported(name)], "{entries:?}");
        assert!(inspection.thumbnails.is_empty());
    }
    let mut canon = file_with_entries(vec![]);
    canon.splice(8..8, *b"CR\x02\0\0\0\0\0");
    assert_eq!(inspect(&canon).findings, [unsupported("image/x-canon-cr2")]);
    for big_tiff in [
        &b"II\x2B\0\x08\0\0\0\x10\0\0\0\0\0\0\0"[..],
        b"MM\0\x2B\0\x08\0\0",
    ] {
        assert_eq!(inspect(big_tiff).findings, [unsupported("image/tiff, BigTIFF")]);
    }
}

#[test]
fn unsupported_bit_orders_are_reported() {
    let unsupported_order = [unsupported("image/tiff with reversed bits")];
    for entry in [short(266, 2), short(317, 2)] {
        let tiff = TiffImage {
            entries: vec![shorts(320, vec![7; 3 * 16]), entry],
            ..TiffImage::new(NOISE_SIZE, 4, 1, PALETTE)
        };
        assert_eq!(inspect(&tiff.file(|_, _| vec![3])).findings, unsupported_order);
    }
    assert_eq!(
        inspect(&file_with_entries(vec![short(266, 2)])).findings,
        unsupported_order
    );
    // Rows of tiles that end within a byte.
    for (width, findings) in [(8, vec![]), (12, unsupported_order.to_vec()), (16, vec![])] {
        let tiff = TiffImage {
            chunk: (Some(width), 16),
            ..TiffImage::new((96, 96), 1, 1, BLACK_IS_ZERO)
        };
        assert_eq!(inspect(&tiff.file(|_, _| vec![1])).findings, findings, "{width}");
    }
}
