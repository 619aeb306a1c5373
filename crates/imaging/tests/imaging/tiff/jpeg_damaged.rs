//! TIFF files with JPEG compression that are truncated, damaged, malformed or unsupported.

use jpeg_encoder::{ColorType, SamplingFactor};
use rapidphoto_sample_photos::{Entry, Value};

use super::{
    JPEG_TABLES, RGB, SIZE, UNUSUAL_JPEG, YCBCR, file_with_changed_strips, jpeg_of_region, stripped_file,
    stripped_image,
};
use crate::fixtures::{
    tiff::{AbbreviatedJpegs, TiffImage, longs, short},
    *,
};

#[test]
fn a_jpeg_in_tiff_truncated_anywhere_is_corrupt() {
    let file = stripped_file();
    assert_eq!(inspect(&file).findings, []);
    for end in (8..file.len()).step_by(7).chain([file.len() - 1]) {
        assert_rejected(&file[..end], "corrupt", &format!("{end} of {}", file.len()));
    }
}

#[test]
fn a_strip_whose_size_contradicts_the_directory_is_not_decoded() {
    let declaring = |height: u16, width: u16| {
        file_with_changed_strips(move |number, mut strip| {
            if number == 2 {
                let frame = strip.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
                strip[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
                strip[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
            }
            strip
        })
    };
    let width = u16::try_from(SIZE.0).unwrap();
    assert_quarters(&inspect(&declaring(32, width)), "the actual size");
    for (height, width) in [
        (65_500, 65_500),
        (33, width),
        (31, width),
        (32, width + 1),
        (32, 1),
    ] {
        let findings = inspect(&declaring(height, width)).findings;
        assert_eq!(findings, [corrupt("undecodable")], "{width} × {height}");
    }
    assert_eq!(
        inspect(&declaring(0, width)).findings,
        [unsupported(UNUSUAL_JPEG)]
    );
}

#[test]
fn strips_with_different_or_unsupported_features_are_rejected() {
    let with_strip = |options: JpegOptions| {
        stripped_image().file_of_jpegs(move |position, size| {
            let options = if position.1 == 64 {
                options.clone()
            } else {
                JpegOptions::default()
            };
            jpeg_of_region(position, size, &options)
        })
    };
    let other_sampling = with_strip(JpegOptions {
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    });
    assert_eq!(inspect(&other_sampling).findings, [corrupt("undecodable")]);
    let grey = with_strip(JpegOptions {
        colour: ColorType::Luma,
        ..JpegOptions::default()
    });
    assert_eq!(inspect(&grey).findings, [corrupt("undecodable")]);
    let progressive = with_strip(JpegOptions {
        progressive: true,
        ..JpegOptions::default()
    });
    assert_eq!(inspect(&progressive).findings, [unsupported(UNUSUAL_JPEG)]);
    let arithmetic = file_with_changed_strips(|_, mut strip| {
        let frame = strip.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        strip[frame + 1] = 0xC9;
        strip
    });
    assert_eq!(inspect(&arithmetic).findings, [unsupported(UNUSUAL_JPEG)]);
    let subsampled_rgb = TiffImage::new(SIZE, 8, 3, RGB)
        .file_of_jpegs(|position, size| jpeg_of_region(position, size, &JpegOptions::default()));
    assert_eq!(inspect(&subsampled_rgb).findings, [unsupported(UNUSUAL_JPEG)]);
    let odd = TiffImage {
        chunk: (None, 33),
        ..stripped_image()
    };
    let odd = odd.file_of_jpegs(|position, size| jpeg_of_region(position, size, &JpegOptions::default()));
    assert_eq!(inspect(&odd).findings, [unsupported(UNUSUAL_JPEG)]);
}

#[test]
fn invalid_strips_and_tables_are_rejected() {
    let with_changed_strip = |change: fn(Vec<u8>) -> Vec<u8>| {
        file_with_changed_strips(move |number, strip| if number == 3 { change(strip) } else { strip })
    };
    for (case, file) in [
        ("an empty strip", with_changed_strip(|_| vec![])),
        ("text", with_changed_strip(|_| b"no image".to_vec())),
        (
            "half a strip",
            with_changed_strip(|strip| strip[..strip.len() / 2].to_vec()),
        ),
        ("no scan", with_changed_strip(|_| vec![0xFF, 0xD8, 0xFF, 0xD9])),
        (
            "damaged entropy-coded data",
            with_changed_strip(|mut strip| {
                let middle = strip.len() / 2;
                strip[middle..middle + 40].fill(0xFE);
                strip
            }),
        ),
    ] {
        assert_eq!(inspect(&file).findings, [corrupt("undecodable")], "{case}");
    }
    let with_tables = |tables: Vec<u8>| {
        let tiff = TiffImage {
            entries: vec![Entry::new(JPEG_TABLES, Value::Undefined(tables)), short(259, 7)],
            ..stripped_image()
        };
        let files: Vec<_> = (0..7)
            .map(|_| jpeg_of_region((0, 0), (SIZE.0, 32), &JpegOptions::default()))
            .collect();
        inspect(&tiff.file_with_chunks(&AbbreviatedJpegs::from_files(&files).chunks)).findings
    };
    for tables in [vec![], vec![0xFF, 0xD8], b"no tables".to_vec()] {
        assert_eq!(with_tables(tables.clone()), [corrupt("malformed")], "{tables:?}");
    }
    let many_comments = [&[0xFF, 0xD8][..], &[0xFF, 0xFE, 0, 2].repeat(2000), &[0xFF, 0xD9]].concat();
    assert_eq!(with_tables(many_comments), [corrupt("malformed")]);
    assert_eq!(
        with_tables(vec![0xFF, 0xD8, 0xFF, 0xD9]),
        [corrupt("undecodable")]
    );
    // A zero after the end marker is ignored. Tables beyond the end of the file are missing.
    let valid =
        AbbreviatedJpegs::from_files(&[jpeg_of_region((0, 0), (SIZE.0, 32), &JpegOptions::default())]).tables;
    assert_eq!(with_tables([&valid[..], &[0]].concat()), []);
    let mut truncated = stripped_file();
    let entry = truncated
        .windows(4)
        .position(|entry| entry == [0x5B, 1, 7, 0])
        .unwrap();
    let end = u32::try_from(truncated.len() - 10).unwrap();
    truncated[entry + 8..entry + 12].copy_from_slice(&end.to_le_bytes());
    assert_eq!(inspect(&truncated).findings, [corrupt("truncated")]);
}

#[test]
fn too_long_or_too_many_tiles_are_rejected() {
    let tile = jpeg_of_region((0, 0), (16, 16), &JpegOptions::default());
    let tiff = |edge: u32, entries| TiffImage {
        chunk: (Some(16), 16),
        entries: [vec![short(259, 7)], entries].concat(),
        ..TiffImage::new((edge, edge), 8, 3, YCBCR)
    };
    // Ten thousand tiles of the same data.
    let shared = tiff(1600, vec![longs(324, &[8; 10_000]), longs(325, &[1000; 10_000])]);
    assert_eq!(
        inspect(&shared.file_with_chunks(&[])).findings,
        [corrupt("malformed")]
    );
    // Forty thousand tiles, each with data of its own.
    let many = tiff(3200, vec![]).file_with_chunks(&vec![tile.clone(); 40_000]);
    assert_eq!(inspect(&many).findings, [corrupt("too_many_parts")]);
    let max = tiff(2896, vec![]).file_with_chunks(&vec![tile; 181 * 181]);
    assert_eq!(inspect(&max).findings, []);
}

#[test]
fn flipped_bits_give_thumbnails_or_findings() {
    let file = stripped_file();
    for at in (0..file.len()).step_by(3) {
        let mut other = file.clone();
        other[at] ^= 1 << (at % 8);
        let inspection = inspect(&other);
        assert!(
            inspection.findings.is_empty() != inspection.thumbnails.is_empty(),
            "{at}"
        );
    }
}
