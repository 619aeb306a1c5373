//! TIFF files.

mod damaged;
mod decoding;
mod directory;
mod jpeg;
mod jpeg_damaged;
mod strips;

use jpeg_encoder::ColorType;
use rapidphoto_sample_photos::{Entry, Value};

use crate::fixtures::{
    tiff::{AbbreviatedJpegs, TiffImage, short},
    *,
};

/// Values of `PhotometricInterpretation`.
const WHITE_IS_ZERO: u16 = 0;
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const PALETTE: u16 = 3;
const CMYK: u16 = 5;
const YCBCR: u16 = 6;

const COLOUR_MAP: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;
const JPEG_TABLES: u16 = 347;

/// Size of images of four quarters.
const SIZE: (u32, u32) = (301, 203);
/// Size of images of noise.
const NOISE_SIZE: (u32, u32) = (97, 61);

const UNUSUAL_JPEG: &str = "image/tiff with an unsupported kind of JPEG";

/// RGB samples of a pixel of noise.
fn noise(x: u32, y: u32) -> Vec<u16> {
    [x * y, x * x + y, x ^ y]
        .map(|sample| u16::try_from(sample % 251).unwrap())
        .to_vec()
}

/// A file of noise with additional or replaced directory entries.
fn file_with_entries(entries: Vec<Entry>) -> Vec<u8> {
    let tiff = TiffImage {
        entries,
        ..TiffImage::new(NOISE_SIZE, 8, 3, RGB)
    };
    tiff.file(noise)
}

/// A JPEG of a region of an image of four quarters. Pixels beyond the edges of the image repeat those at its edges.
fn jpeg_of_region((left, top): (u32, u32), (width, height): (u32, u32), options: &JpegOptions) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in top..top + height {
        for x in left..left + width {
            let colour = quarter_colour(x.min(SIZE.0 - 1), y.min(SIZE.1 - 1), SIZE);
            match options.colour {
                ColorType::Luma => pixels.push(colour[0]),
                _ => pixels.extend(colour),
            }
        }
    }
    let edge = |edge: u32| u16::try_from(edge).unwrap();
    encode_jpeg(edge(width), edge(height), &pixels, options)
}

/// A YCbCr image in strips of 32 rows.
fn stripped_image() -> TiffImage {
    TiffImage {
        chunk: (None, 32),
        ..TiffImage::new(SIZE, 8, 3, YCBCR)
    }
}

fn stripped_file() -> Vec<u8> {
    stripped_image().file_of_jpegs(|position, size| jpeg_of_region(position, size, &JpegOptions::default()))
}

/// The stripped file with each strip, given with its number, changed.
fn file_with_changed_strips(change: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let files: Vec<_> = (0..SIZE.1)
        .step_by(32)
        .map(|top| jpeg_of_region((0, top), (SIZE.0, 32.min(SIZE.1 - top)), &JpegOptions::default()))
        .collect();
    let jpegs = AbbreviatedJpegs::from_files(&files);
    let chunks: Vec<_> = jpegs
        .chunks
        .into_iter()
        .enumerate()
        .map(|(number, chunk)| change(number, chunk))
        .collect();
    let tiff = TiffImage {
        entries: vec![
            Entry::new(JPEG_TABLES, Value::Undefined(jpegs.tables)),
            short(259, 7),
        ],
        ..stripped_image()
    };
    tiff.file_with_chunks(&chunks)
}
