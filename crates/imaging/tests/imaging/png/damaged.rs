//! Truncated, damaged, malformed and unsupported files.

use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_domain::photo::{Check, Finding};

use super::{SIZE, file_with_chunks, rgb_samples};
use crate::fixtures::{
    png::{Png, chunk},
    *,
};

#[test]
fn a_png_truncated_anywhere_is_corrupt() {
    for interlaced in [false, true] {
        let png = Png {
            interlaced,
            before: vec![chunk(*b"tEXt", b"Comment\0none")],
            ..Png::new((97, 61), 8, 2)
        };
        let file = png.file(|x, y| vec![(x * y % 256) as u16, (x * x % 251) as u16, ((x ^ y) % 256) as u16]);
        assert_eq!(inspect(&file).findings, []);
        let step = (file.len() / 400).max(1);
        for end in (8..file.len()).step_by(step).chain(file.len() - 30..file.len()) {
            assert_eq!(
                inspect(&file[..end]).findings,
                [corrupt("truncated")],
                "{end} of {}",
                file.len()
            );
        }
    }
}

#[test]
fn a_flipped_bit_in_the_pixel_data_is_corrupt() {
    let file = Png::new((97, 61), 8, 2).file(|x, y| rgb_samples(x, y, (97, 61)));
    let start = file.windows(4).position(|name| name == b"IDAT").unwrap();
    for at in (start..file.len() - 12).step_by(7) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_rejected(&flipped, "corrupt", &format!("bit in byte {at}"));
    }
}

#[test]
fn missing_rows_and_wrong_adler_checksums_are_corrupt() {
    // Half of the rows, in a complete stream.
    let half = vec![0; 31 * 301];
    let complete = vec![0; 61 * 301];
    let png = Png::new((100, 61), 8, 2);
    assert_eq!(
        inspect(&png.file_with_data(&fdeflate::compress_to_vec(&complete))).findings,
        []
    );
    assert_eq!(
        inspect(&png.file_with_data(&fdeflate::compress_to_vec(&half))).findings,
        [corrupt("undecodable")]
    );
    // A wrong Adler-32 checksum.
    let mut stream = fdeflate::compress_to_vec(&complete);
    *stream.last_mut().unwrap() ^= 1;
    assert_eq!(
        inspect(&png.file_with_data(&stream)).findings,
        [corrupt("undecodable")]
    );
}

#[test]
fn dimensions_are_checked_before_allocation() {
    let file_declaring =
        |size: (u32, u32)| Png::new(size, 16, 6).file_with_data(&fdeflate::compress_to_vec(&[0; 64]));
    assert_eq!(inspect(&file_declaring((0, 10))).findings, [corrupt("no_pixels")]);
    assert_eq!(inspect(&file_declaring((10, 0))).findings, [corrupt("no_pixels")]);
    assert_eq!(
        inspect(&file_declaring((9_000, 9_000))).findings,
        [corrupt("truncated")]
    );
    for size in [(65_500, 65_500), (u32::MAX >> 1, u32::MAX >> 1), (u32::MAX, 1)] {
        let inspection = inspect(&file_declaring(size));
        let pixels = u64::from(size.0) * u64::from(size.1);
        assert!(
            inspection
                .findings
                .contains(&Finding::measured(Check::TooManyPixels, pixels, 100_000_000)),
            "{:?}",
            inspection.findings
        );
        assert!(inspection.thumbnails.is_empty());
    }
    let limits = InspectionLimits {
        max_pixels: 301 * 203 - 1,
        min_edge: Some(204),
    };
    let file = file_with_chunks(vec![]);
    assert_eq!(
        inspect_within(&file, limits).findings,
        [
            Finding::measured(Check::TooManyPixels, 301 * 203, 301 * 203 - 1),
            Finding::measured(Check::TooSmallResolution, 203, 204),
        ]
    );
}

#[test]
fn invalid_chunks_are_malformed() {
    let end = chunk(*b"IEND", &[]);
    let mut dimensions = SIZE.0.to_be_bytes().to_vec();
    dimensions.extend(SIZE.1.to_be_bytes());
    let header = |rest: &[u8]| chunk(*b"IHDR", &[&dimensions[..], rest].concat());
    let cases = [
        ("no header", chunk(*b"IDAT", &[0])),
        (
            "two headers",
            [header(&[8, 2, 0, 0, 0]), header(&[8, 2, 0, 0, 0])].concat(),
        ),
        ("a short header", chunk(*b"IHDR", &[0; 12])),
        ("3 bits", header(&[3, 0, 0, 0, 0])),
        ("colour 5", header(&[8, 5, 0, 0, 0])),
        ("another compression", header(&[8, 2, 1, 0, 0])),
        ("another filter", header(&[8, 2, 0, 1, 0])),
        ("another interlacing", header(&[8, 2, 0, 0, 2])),
        (
            "IDAT chunks that are not consecutive",
            [
                header(&[8, 2, 0, 0, 0]),
                chunk(*b"IDAT", &[0]),
                chunk(*b"tEXt", b"a\0b"),
                chunk(*b"IDAT", &[0]),
            ]
            .concat(),
        ),
        (
            "a chunk type that is not alphabetic",
            [header(&[8, 2, 0, 0, 0]), chunk(*b"\0\0\0\0", &[])].concat(),
        ),
        (
            "many palettes",
            [header(&[8, 3, 0, 0, 0]), chunk(*b"PLTE", &[1, 2, 3]).repeat(1000)].concat(),
        ),
    ];
    for (case, chunks) in cases {
        let file = [b"\x89PNG\r\n\x1a\n", &chunks[..], &end].concat();
        assert_eq!(inspect(&file).findings, [corrupt("malformed")], "{case}");
    }
    let no_palette = Png::new((4, 4), 8, 3).file(|_, _| vec![0]);
    assert_eq!(inspect(&no_palette).findings, [corrupt("undecodable")]);
}

#[test]
fn unsupported_features_are_reported() {
    let apple = [
        b"\x89PNG\r\n\x1a\n",
        &chunk(*b"CgBI", &[0; 4])[..],
        &file_with_chunks(vec![])[8..],
    ]
    .concat();
    assert_eq!(
        inspect(&apple).findings,
        [unsupported("image/png with Apple CgBI")]
    );
    let unknown_critical = file_with_chunks(vec![chunk(*b"XyZW", &[0; 4])]);
    assert_eq!(
        inspect(&unknown_critical).findings,
        [unsupported("image/png with an unknown critical chunk")]
    );
}
