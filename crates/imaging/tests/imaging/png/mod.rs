//! PNG files.

mod damaged;
mod decoding;
mod hostile;

use crate::fixtures::{png::Png, *};

const SIZE: (u32, u32) = (301, 203);

/// Samples of a pixel in an image of four quarters.
fn rgb_samples(x: u32, y: u32, size: (u32, u32)) -> Vec<u16> {
    quarter_colour(x, y, size).map(u16::from).to_vec()
}

/// A truecolour file of four quarters with these chunks before its pixels.
fn file_with_chunks(chunks: Vec<Vec<u8>>) -> Vec<u8> {
    let png = Png {
        before: chunks,
        ..Png::new(SIZE, 8, 2)
    };
    png.file(|x, y| rgb_samples(x, y, SIZE))
}
