use std::io::Cursor;

use ::tiff::encoder::{Compression, TiffEncoder, colortype};
use jpeg_encoder::{ColorType, SamplingFactor};
use rapidphoto_sample_photos::{Entry, Value};

use crate::{
    fixtures::{
        png::Png,
        tiff::{TiffImage, shorts},
        *,
    },
    measure::assert_within_memory_bound,
    samples::{MIB, SIZE, samples},
};

/// Values of `PhotometricInterpretation`.
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const PALETTE: u16 = 3;
const CMYK: u16 = 5;
const YCBCR: u16 = 6;

#[test]
fn chunky_and_planar_tiffs_stay_within_their_bound() {
    let rgb = samples(3);
    for (case, compression) in [("none", Compression::Uncompressed), ("LZW", Compression::Lzw)] {
        for rows in [16, SIZE.1] {
            let mut file = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(compression);
            let mut image = encoder.new_image::<colortype::RGB8>(SIZE.0, SIZE.1).unwrap();
            image.rows_per_strip(rows).unwrap();
            image.write_data(&rgb).unwrap();
            assert_within_memory_bound(
                &format!("TIFF, {case}, strips of {rows}"),
                file.get_ref(),
                15 * MIB,
            );
        }
    }
    for (bits, samples, photometric) in [(8, 4, CMYK), (16, 3, RGB), (16, 1, BLACK_IS_ZERO)] {
        for (planar, chunk) in [
            (false, (None, SIZE.1)),
            (true, (None, SIZE.1)),
            (false, (Some(4096), 4096)),
        ] {
            let tiff = TiffImage {
                chunk,
                planar,
                ..TiffImage::new(SIZE, bits, samples, photometric)
            };
            let (width, height) = (chunk.0.unwrap_or(SIZE.0), chunk.1);
            let planes = if planar { samples } else { 1 };
            let bytes = width * height * u32::from(bits / 8) * u32::from(samples / planes);
            let file = tiff.file_with_chunks(&vec![vec![99; bytes as usize]; planes.into()]);
            let case = format!("TIFF, {samples} times {bits} bits, planar {planar}, {chunk:?}");
            assert_within_memory_bound(&case, &file, 11 * MIB);
        }
    }
}

#[test]
fn tiffs_with_a_palette_or_jpeg_stay_within_their_bound() {
    let indexed = TiffImage {
        chunk: (None, SIZE.1),
        entries: vec![shorts(320, (0..3 * 256).map(|value| value * 80).collect())],
        ..TiffImage::new(SIZE, 8, 1, PALETTE)
    };
    let file = indexed.file_with_chunks(&[samples(1)]);
    assert_within_memory_bound("TIFF with a palette", &file, 15 * MIB);
    let pixels = samples(3);
    for (photometric, colour, sampling) in [
        (YCBCR, ColorType::Rgb, SamplingFactor::R_4_2_0),
        (YCBCR, ColorType::Rgb, SamplingFactor::R_4_4_4),
        (RGB, ColorType::Ycbcr, SamplingFactor::R_4_4_4),
    ] {
        let options = JpegOptions {
            sampling,
            colour,
            ..JpegOptions::default()
        };
        for chunk in [(None, SIZE.1), (None, 64), (Some(512), 512)] {
            let tiff = TiffImage {
                chunk,
                ..TiffImage::new(SIZE, 8, 3, photometric)
            };
            let file = tiff.file_of_jpegs(|_, (width, height)| {
                let edge = |edge: u32| u16::try_from(edge).unwrap();
                let pixels = &pixels[..(width * height * 3) as usize];
                encode_jpeg(edge(width), edge(height), pixels, &options)
            });
            let case = format!("TIFF of JPEG, {photometric}, {sampling:?}, {chunk:?}");
            assert_within_memory_bound(&case, &file, 15 * MIB);
        }
    }
}

#[test]
fn images_of_a_single_row_or_column_stay_within_their_bound() {
    const WIDTH: u32 = 24_000_000;
    let colours: Vec<u16> = (0..3 * 256).map(|value| value * 80).collect();
    for (case, bits, count, photometric, entries) in [
        ("8 bit indices", 8, 1, PALETTE, vec![shorts(320, colours.clone())]),
        (
            "1 bit indices",
            1,
            1,
            PALETTE,
            vec![shorts(320, colours[..6].to_vec())],
        ),
        ("RGB", 8, 3, RGB, vec![]),
        ("RGB and alpha", 8, 4, RGB, vec![shorts(338, vec![2])]),
        ("RGB of 16 bits", 16, 3, RGB, vec![]),
        ("greyscale", 8, 1, BLACK_IS_ZERO, vec![]),
    ] {
        let row = u64::from(WIDTH) * u64::from(count) * u64::from(bits) / 8;
        let row = fdeflate::compress_to_vec(&vec![0x5A; usize::try_from(row).unwrap()]);
        let tiff = TiffImage {
            entries: [entries, vec![shorts(259, vec![8])]].concat(),
            ..TiffImage::new((WIDTH, 1), bits, count, photometric)
        };
        assert_within_memory_bound(
            &format!("a row of {case}"),
            &tiff.file_with_chunks(&[row]),
            20 * MIB,
        );
    }
    let png = Png::new((WIDTH, 1), 8, 2).file(|_, _| vec![90, 91, 92]);
    assert_within_memory_bound("a row as PNG", &png, 20 * MIB);
    let png = Png::new((1, WIDTH / 3), 8, 2).file(|_, _| vec![90, 91, 92]);
    assert_within_memory_bound("a column as PNG", &png, 20 * MIB);
}

#[test]
fn a_tiff_of_two_million_strips_stays_within_its_bound() {
    const STRIP_OFFSETS: u16 = 273;
    const STRIP_BYTE_COUNTS: u16 = 279;
    let size = (4, 2_000_000);
    let list = |tag, value| Entry::new(tag, Value::Shorts(vec![value; size.1 as usize]));
    let tiff = TiffImage {
        chunk: (None, 1),
        entries: vec![list(STRIP_OFFSETS, 8), list(STRIP_BYTE_COUNTS, 4)],
        ..TiffImage::new(size, 8, 1, BLACK_IS_ZERO)
    };
    assert_within_memory_bound("2 000 000 strips", &tiff.file_with_chunks(&[]), 64 * MIB);
}
