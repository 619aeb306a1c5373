//! Pixels that are numbers of colours, and a decoder that knows only numbers.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// The colours of a picture, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Palette(Vec<[u8; 3]>);

impl Palette {
    /// From all reds, then all greens, then all blues, of 16 bits each; `None` if they are not as many as there must be.
    pub(super) fn read(bits: u32, values: impl Iterator<Item = u32>) -> Option<Self> {
        let count = 1_usize.checked_shl(bits).filter(|&count| count <= 256)?;
        let values: Vec<u32> = values.take(3 * count + 1).collect();
        if values.len() != 3 * count {
            return None;
        }
        // Some programs write values of 8 bits, which is seen in that none is larger (as libtiff does).
        let shift = if values.iter().any(|&value| value > 255) {
            8
        } else {
            0
        };
        let eight_bits = |value: &u32| u8::try_from(value >> shift).unwrap_or(u8::MAX);
        let (reds, others) = values.split_at(count);
        let (greens, blues) = others.split_at(count);
        let colours = reds.iter().zip(greens).zip(blues);
        Some(Self(
            colours
                .map(|((red, green), blue)| [red, green, blue].map(eight_bits))
                .collect(),
        ))
    }

    /// The colour of this number.
    pub(super) fn colour(&self, number: u8) -> [u8; 3] {
        self.0.get(usize::from(number)).copied().unwrap_or_default()
    }
}

/// What TIFF calls `BlackIsZero`.
const GREY: u8 = 1;

/// A file as a decoder is to see it: numbers of colours pass for greys, of which it gives the numbers as they are.
#[derive(Debug)]
pub(super) struct Told<'a> {
    file: Cursor<&'a [u8]>,
    /// Where it says how samples are to be understood.
    grey: Option<u64>,
}

impl<'a> Told<'a> {
    /// The file as it is.
    pub(super) fn plainly(file: &'a [u8]) -> Self {
        Self {
            file: Cursor::new(file),
            grey: None,
        }
    }

    /// The file as one of greys, where this is the place of the number that says so.
    pub(super) fn as_grey(file: &'a [u8], place: usize) -> Self {
        Self {
            grey: Some(place as u64),
            ..Self::plainly(file)
        }
    }
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.file.position();
        let read = self.file.read(buffer)?;
        if let Some(place) = self.grey
            && let Some(at) = place.checked_sub(start).and_then(|at| usize::try_from(at).ok())
            && let Some(there) = buffer.get_mut(..read).and_then(|read| read.get_mut(at))
        {
            *there = GREY;
        }
        Ok(read)
    }
}

impl Seek for Told<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
