use super::{header::Header, palette::Palette};
use crate::canvas::eight_bits;

/// From samples of any size, as many as there are, to those of 8 bits that are kept, or the colours they are numbers of.
pub(super) struct Narrow {
    /// Samples of a pixel that there are, and that are kept.
    samples: usize,
    kept: usize,
    bits: u32,
    palette: Option<Palette>,
    line: Vec<u8>,
    colours: Vec<u8>,
}

impl Narrow {
    pub(super) fn new(samples: usize, header: &Header<'_>) -> Self {
        Self {
            samples,
            kept: header.stored(),
            bits: header.bits,
            palette: header.palette(),
            line: Vec::new(),
            colours: Vec::new(),
        }
    }

    /// Bytes that a row takes: of a pixel, four samples at most, or a number and its colour.
    pub(super) fn weight(width: u32) -> u64 {
        u64::from(width) * 4
    }

    pub(super) fn row<'a>(&'a mut self, row: &'a [u8], width: usize) -> &'a [u8] {
        let row = if self.bits == 8 && self.samples == self.kept {
            row
        } else {
            self.narrow(row, width);
            &self.line
        };
        let Some(palette) = &self.palette else {
            return row;
        };
        self.colours.resize(row.len() * 3, 0);
        let (colours, _) = self.colours.as_chunks_mut();
        for (colour, &number) in colours.iter_mut().zip(row) {
            *colour = palette.colour(number);
        }
        &self.colours
    }

    fn narrow(&mut self, row: &[u8], width: usize) {
        self.line.resize(width * self.kept, 0);
        let kept = self.line.chunks_exact_mut(self.kept.max(1));
        match self.bits {
            8 => {
                for (kept, samples) in kept.zip(row.chunks_exact(self.samples.max(1))) {
                    for (kept, sample) in kept.iter_mut().zip(samples) {
                        *kept = *sample;
                    }
                }
            }
            16 => {
                // The decoder has brought them to the machine's own order.
                let (row, _) = row.as_chunks();
                for (kept, samples) in kept.zip(row.chunks_exact(self.samples.max(1))) {
                    for (kept, sample) in kept.iter_mut().zip(samples) {
                        *kept = eight_bits(u16::from_ne_bytes(*sample));
                    }
                }
            }
            bits => {
                let most = u8::MAX >> (8 - bits);
                // Greys are spread over the whole range, numbers stay as they are.
                let step = if self.palette.is_some() { 1 } else { u8::MAX / most };
                for (kept, byte) in self.line.chunks_mut((8 / bits) as usize).zip(row) {
                    for (kept, place) in kept.iter_mut().zip(1..) {
                        *kept = (byte >> (8 - place * bits) & most) * step;
                    }
                }
            }
        }
    }
}
