use tiff::{ColorType, decoder::Decoder};

use super::{Header, palette::Told};
use crate::form::DecodeError;

/// A picture as rows of strips or tiles, with the samples of each pixel side by side however they are stored.
pub(super) struct Bands<'a> {
    decoder: Decoder<Told<'a>>,
    size: (u32, u32),
    chunk: (u32, u32),
    bits: usize,
    /// Samples of a pixel in a chunk, and planes that are put together.
    samples: usize,
    planes: usize,
    read: Vec<u8>,
    band: Vec<u8>,
}

impl<'a> Bands<'a> {
    pub(super) fn new(mut decoder: Decoder<Told<'a>>, header: &Header<'_>) -> Result<Self, DecodeError> {
        let size = decoder.dimensions().map_err(DecodeError::damaged)?;
        let (samples, bits) = layout(decoder.colortype().map_err(DecodeError::damaged)?)?;
        let wanted = header.stored();
        let (width, height) = decoder.chunk_dimensions();
        let seen = (size, (width, height.min(size.1)), u32::from(bits));
        let (chunk_width, chunk_height) = header.chunk;
        let said = (header.size, (chunk_width, chunk_height.min(size.1)), header.bits);
        if seen != said || !(wanted..=header.samples as usize).contains(&samples) {
            return Err(DecodeError::damaged("the decoder sees another picture"));
        }
        let (samples, planes) = if header.is_apart() {
            (1, wanted)
        } else {
            (samples, 1)
        };
        Ok(Self {
            decoder,
            size,
            chunk: (width.max(1), height.max(1)),
            bits: bits.into(),
            samples,
            planes,
            read: Vec::new(),
            band: Vec::new(),
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.size.1.div_ceil(self.chunk.1)
    }

    /// Samples of a pixel as they are given.
    pub(super) fn samples(&self) -> usize {
        self.samples * self.planes
    }

    /// Bytes of a row as they are given.
    pub(super) fn row_bytes(&self) -> usize {
        self.bytes(self.size.0) * self.planes
    }

    /// The rows of a band.
    pub(super) fn read(&mut self, band: u32) -> Result<&[u8], DecodeError> {
        let across = self.size.0.div_ceil(self.chunk.0);
        let whole = self.row_bytes();
        // The decoder fills up the last tiles of all planes but the first.
        let rows = self.size.1.saturating_sub(band * self.chunk.1).min(self.chunk.1);
        for plane in 0..self.planes {
            for column in 0..across {
                let place = band * across + column;
                let before = u32::try_from(plane).map_err(DecodeError::damaged)? * across * self.count();
                let (width, height) = self.decoder.chunk_data_dimensions(before + place);
                let length = self.bytes(width);
                self.read.resize(length * height as usize, 0);
                self.decoder
                    .read_chunk_bytes(before + place, &mut self.read)
                    .map_err(DecodeError::damaged)?;
                if across == 1 && self.planes == 1 {
                    return Ok(&self.read);
                }
                self.band.resize(whole * rows as usize, 0);
                let left = self.bytes(self.chunk.0) * self.planes * column as usize;
                let lines = self.band.chunks_exact_mut(whole.max(1));
                for (to, from) in lines.zip(self.read.chunks_exact(length.max(1))) {
                    let to = to.get_mut(left..).unwrap_or_default();
                    if self.planes == 1 {
                        if let Some(to) = to.get_mut(..length) {
                            to.copy_from_slice(from);
                        }
                    } else {
                        interleave(to, from, plane, self.planes, self.bits / 8);
                    }
                }
            }
        }
        Ok(&self.band)
    }

    /// Bytes of a row of so many pixels in a chunk.
    fn bytes(&self, width: u32) -> usize {
        (width as usize * self.samples * self.bits).div_ceil(8)
    }
}

/// Puts the samples of one plane, of so many bytes each, to their places among those of all planes.
fn interleave(to: &mut [u8], from: &[u8], plane: usize, planes: usize, bytes: usize) {
    let slots = to
        .chunks_exact_mut(bytes.max(1))
        .skip(plane)
        .step_by(planes.max(1));
    for (slot, sample) in slots.zip(from.chunks_exact(bytes.max(1))) {
        slot.copy_from_slice(sample);
    }
}

/// Samples of a pixel as the decoder gives them, and bits of a sample.
fn layout(colour: ColorType) -> Result<(usize, u8), DecodeError> {
    match colour {
        ColorType::Gray(bits) => Ok((1, bits)),
        ColorType::Multiband {
            bit_depth,
            num_samples,
        } => Ok((num_samples.into(), bit_depth)),
        ColorType::RGB(bits) => Ok((3, bits)),
        ColorType::RGBA(bits) | ColorType::CMYK(bits) => Ok((4, bits)),
        _ => Err(DecodeError::Unsupported("image/tiff in an unusual colour space")),
    }
}
