use super::{header::Header, palette::Palette};
use crate::canvas::to_eight_bits;

/// Converts rows of 1 to 16 bits a sample to 8 bits, drops extra samples that have no meaning here, and looks up
/// palette colours.
pub(super) struct RowConverter {
    /// Samples of a pixel in the file.
    input_samples: usize,
    /// Samples of a pixel that are kept, the first ones.
    output_samples: usize,
    bits: u32,
    palette: Option<Palette>,
    line: Vec<u8>,
    colours: Vec<u8>,
}

impl RowConverter {
    pub(super) fn new(samples: usize, header: &Header<'_>) -> Self {
        Self {
            input_samples: samples,
            output_samples: header.decoded_samples(),
            bits: header.bits,
            palette: header.palette(),
            line: Vec::new(),
            colours: Vec::new(),
        }
    }

    /// Upper bound of the memory in bytes: at most four samples of a pixel, or an index and its colour.
    pub(super) fn max_memory_bytes(width: u32) -> u64 {
        u64::from(width) * 4
    }

    /// Converts a row of this many pixels.
    pub(super) fn convert<'a>(&'a mut self, row: &'a [u8], width: usize) -> &'a [u8] {
        let row = if self.bits == 8 && self.input_samples == self.output_samples {
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
        for (colour, &index) in colours.iter_mut().zip(row) {
            *colour = palette.colour(index);
        }
        &self.colours
    }

    fn narrow(&mut self, row: &[u8], width: usize) {
        self.line.resize(width * self.output_samples, 0);
        let pixels = self.line.chunks_exact_mut(self.output_samples.max(1));
        match self.bits {
            8 => {
                for (pixel, samples) in pixels.zip(row.chunks_exact(self.input_samples.max(1))) {
                    for (target, sample) in pixel.iter_mut().zip(samples) {
                        *target = *sample;
                    }
                }
            }
            16 => {
                // The `tiff` crate returns samples in native byte order.
                let (row, _) = row.as_chunks();
                for (pixel, samples) in pixels.zip(row.chunks_exact(self.input_samples.max(1))) {
                    for (target, sample) in pixel.iter_mut().zip(samples) {
                        *target = to_eight_bits(u16::from_ne_bytes(*sample));
                    }
                }
            }
            bits => {
                let max = u8::MAX >> (8 - bits);
                // Grey samples are scaled to the full range, palette indices are kept.
                let step = if self.palette.is_some() { 1 } else { u8::MAX / max };
                for (samples, byte) in self.line.chunks_mut((8 / bits) as usize).zip(row) {
                    for (target, position) in samples.iter_mut().zip(1..) {
                        *target = (byte >> (8 - position * bits) & max) * step;
                    }
                }
            }
        }
    }
}
