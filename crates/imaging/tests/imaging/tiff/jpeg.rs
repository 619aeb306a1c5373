//! TIFF files with JPEG compression.

use jpeg_encoder::{ColorType, SamplingFactor};
use rapidphoto_imaging::max_memory_bytes;
use rapidphoto_sample_photos::Orientation;

use super::{BLACK_IS_ZERO, RGB, SIZE, YCBCR, jpeg_of_region, stripped_image};
use crate::fixtures::{
    tiff::{TiffImage, longs, short},
    *,
};

/// Options for RGB components: the encoder writes YCbCr pixels without conversion.
fn rgb() -> JpegOptions {
    JpegOptions {
        colour: ColorType::Ycbcr,
        sampling: SamplingFactor::R_4_4_4,
        ..JpegOptions::default()
    }
}

#[test]
fn files_written_by_libtiff_are_read() {
    for (case, file) in [
        ("strips", &include_bytes!("../data/jpeg-ycbcr-in-strips.tif")[..]),
        (
            "tiles",
            include_bytes!("../data/jpeg-rgb-in-tiles-big-endian.tif"),
        ),
    ] {
        let inspection = inspect(file);
        assert_quarters(&inspection, case);
        assert_eq!((inspection.width, inspection.height), SIZE, "{case}");
    }
}

#[test]
fn strips_and_tiles_of_any_size_are_read() {
    let samplings = [
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_4_0,
        SamplingFactor::R_4_4_4,
    ];
    for chunk in [
        (None, 16),
        (None, SIZE.1),
        (None, 10_000),
        (Some(64), 48),
        (Some(512), 512),
    ] {
        let rows = if chunk.1 == 10_000 { SIZE.1 } else { chunk.1 };
        for big_endian in [false, true] {
            let tiff = |photometric| TiffImage {
                big_endian,
                chunk: (chunk.0, rows),
                entries: if rows == chunk.1 {
                    vec![]
                } else {
                    vec![longs(278, &[chunk.1])]
                },
                ..TiffImage::new(SIZE, 8, 3, photometric)
            };
            let case = format!("{chunk:?}, big endian {big_endian}");
            for sampling in samplings {
                let options = JpegOptions {
                    sampling,
                    ..JpegOptions::default()
                };
                let file =
                    tiff(YCBCR).file_of_jpegs(|position, size| jpeg_of_region(position, size, &options));
                assert_quarters(&inspect(&file), &format!("{case}, {sampling:?}"));
            }
            let file = tiff(RGB).file_of_jpegs(|position, size| jpeg_of_region(position, size, &rgb()));
            assert_quarters(&inspect(&file), &format!("{case}, RGB"));
        }
    }
}

#[test]
fn strips_with_their_own_tables_and_metadata_are_read() {
    let tiff = TiffImage {
        entries: vec![short(259, 7)],
        ..stripped_image()
    };
    let strips: Vec<_> = (0..SIZE.1)
        .step_by(32)
        .map(|top| {
            let strip = JpegOptions {
                // It is ignored: only the orientation of the directory is applied.
                orientation: Some(6),
                restart: 2,
                ..JpegOptions::default()
            };
            let mut file = jpeg_of_region((0, top), (SIZE.0, 32.min(SIZE.1 - top)), &strip);
            file.truncate(file.len() - 2);
            file
        })
        .collect();
    assert_quarters(
        &inspect(&tiff.file_with_chunks(&strips)),
        "tables in each strip, without end markers",
    );
}

#[test]
fn a_padded_last_strip_is_read() {
    let file = stripped_image()
        .file_of_jpegs(|position, (width, _)| jpeg_of_region(position, (width, 32), &JpegOptions::default()));
    assert_quarters(&inspect(&file), "203 rows of 224");
    for rows in [SIZE.1, 208, u32::MAX] {
        let tiff = TiffImage {
            chunk: (None, SIZE.1),
            entries: vec![longs(278, &[rows])],
            ..stripped_image()
        };
        let file = tiff.file_of_jpegs(|position, (width, _)| {
            jpeg_of_region(position, (width, 208), &JpegOptions::default())
        });
        assert_quarters(&inspect(&file), &format!("203 rows of {rows}, padded to 208"));
    }
}

#[test]
fn greyscale_gives_greyscale_thumbnails() {
    let options = JpegOptions {
        colour: ColorType::Luma,
        ..JpegOptions::default()
    };
    let greyscale = TiffImage {
        chunk: (Some(64), 64),
        ..TiffImage::new(SIZE, 8, 1, BLACK_IS_ZERO)
    };
    let inspection =
        inspect(&greyscale.file_of_jpegs(|position, size| jpeg_of_region(position, size, &options)));
    assert_eq!(inspection.findings, []);
    for thumbnail in &inspection.thumbnails {
        let decoded = decode(thumbnail);
        assert_eq!(decoded.channels, 1);
        for (x, y, corner) in [(1, 1, 0), (7, 1, 1), (7, 7, 2), (1, 7, 3)] {
            let grey = decoded.at(decoded.width * x / 8, decoded.height * y / 8)[0];
            assert!(grey.abs_diff(CORNERS[corner][0]) <= 3, "{grey}");
        }
    }
}

#[test]
fn the_memory_bound_covers_the_planes_and_a_strip() {
    let memory_bound = |rows: u32| {
        let tiff = TiffImage {
            chunk: (None, rows),
            ..stripped_image()
        };
        let file =
            tiff.file_of_jpegs(|position, size| jpeg_of_region(position, size, &JpegOptions::default()));
        max_memory_bytes(&file, LIMITS).unwrap() - file.len() as u64
    };
    let samples = |rows: u64| u64::from(SIZE.0) * rows * 3;
    assert!(memory_bound(203) - memory_bound(16) >= samples(208 - 16));
    assert!(memory_bound(16) >= (16 << 20) + samples(SIZE.1.into()));
}

#[test]
fn the_orientation_of_the_directory_is_applied() {
    for number in 1..=8_u16 {
        let orientation = Orientation::from_exif(u8::try_from(number).unwrap()).unwrap();
        let (width, height, pixels) = stored_quarters(320, 192, orientation);
        let size = (u32::from(width), u32::from(height));
        let tiff = TiffImage {
            chunk: (Some(64), 64),
            entries: vec![short(0x0112, number)],
            ..TiffImage::new(size, 8, 3, YCBCR)
        };
        let file = tiff.file_of_jpegs(|(left, top), (tile_width, tile_height)| {
            let tile: Vec<u8> = (top..top + tile_height)
                .flat_map(|y| (left..left + tile_width).map(move |x| (x, y)))
                .flat_map(|(x, y)| {
                    let at = ((y.min(size.1 - 1) * size.0 + x.min(size.0 - 1)) * 3) as usize;
                    pixels[at..at + 3].to_vec()
                })
                .collect();
            let edge = |edge: u32| u16::try_from(edge).unwrap();
            encode_jpeg(
                edge(tile_width),
                edge(tile_height),
                &tile,
                &JpegOptions::default(),
            )
        });
        let inspection = inspect(&file);
        assert_quarters(&inspection, &format!("orientation {number}"));
        assert_eq!((inspection.width, inspection.height), (320, 192), "{number}");
    }
}
