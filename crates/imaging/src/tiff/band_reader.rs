use tiff::{ColorType, decoder::Decoder};

use super::{header::Header, patched_file::PatchedFile};
use crate::error::DecodeError;

/// Reads an image band by band, as interleaved rows. A band is a row of strips or tiles, in all planes of a planar
/// image.
pub(super) struct BandReader<'a> {
    decoder: Decoder<PatchedFile<'a>>,
    size: (u32, u32),
    chunk_size: (u32, u32),
    bits: usize,
    /// Samples of a pixel in a strip or tile.
    samples: usize,
    /// Planes that are interleaved; 1 if the file stores pixels interleaved.
    planes: usize,
    chunk: Vec<u8>,
    band: Vec<u8>,
}

impl<'a> BandReader<'a> {
    pub(super) fn new(
        mut decoder: Decoder<PatchedFile<'a>>,
        header: &Header<'_>,
    ) -> Result<Self, DecodeError> {
        let size = decoder.dimensions().map_err(DecodeError::damaged)?;
        let (samples, bits) = sample_layout(decoder.colortype().map_err(DecodeError::damaged)?)?;
        let decoded_samples = header.decoded_samples();
        let (width, height) = decoder.chunk_dimensions();
        let actual = (size, (width, height.min(size.1)), u32::from(bits));
        let (chunk_width, chunk_height) = header.chunk_size;
        let expected = (header.size, (chunk_width, chunk_height.min(size.1)), header.bits);
        if actual != expected || !(decoded_samples..=header.samples as usize).contains(&samples) {
            return Err(DecodeError::damaged(
                "the decoder reads another size or sample layout from the directory",
            ));
        }
        let (samples, planes) = if header.is_planar() {
            (1, decoded_samples)
        } else {
            (samples, 1)
        };
        Ok(Self {
            decoder,
            size,
            chunk_size: (width.max(1), height.max(1)),
            bits: bits.into(),
            samples,
            planes,
            chunk: Vec::new(),
            band: Vec::new(),
        })
    }

    /// Number of bands.
    pub(super) fn count(&self) -> u32 {
        self.size.1.div_ceil(self.chunk_size.1)
    }

    /// Samples of a pixel in the rows of [`Self::read`].
    pub(super) fn samples(&self) -> usize {
        self.samples * self.planes
    }

    /// Length of the rows of [`Self::read`].
    pub(super) fn row_bytes(&self) -> usize {
        self.chunk_row_bytes(self.size.0) * self.planes
    }

    /// Reads the rows of a band.
    pub(super) fn read(&mut self, band: u32) -> Result<&[u8], DecodeError> {
        let across = self.size.0.div_ceil(self.chunk_size.0);
        let row_bytes = self.row_bytes();
        // The decoder pads the last tiles in all planes but the first.
        let rows = self
            .size
            .1
            .saturating_sub(band * self.chunk_size.1)
            .min(self.chunk_size.1);
        for plane in 0..self.planes {
            for column in 0..across {
                let in_plane = band * across + column;
                let before = u32::try_from(plane).map_err(DecodeError::damaged)? * across * self.count();
                let (width, height) = self.decoder.chunk_data_dimensions(before + in_plane);
                let length = self.chunk_row_bytes(width);
                self.chunk.resize(length * height as usize, 0);
                self.decoder
                    .read_chunk_bytes(before + in_plane, &mut self.chunk)
                    .map_err(DecodeError::damaged)?;
                if across == 1 && self.planes == 1 {
                    return Ok(&self.chunk);
                }
                self.band.resize(row_bytes * rows as usize, 0);
                let left = self.chunk_row_bytes(self.chunk_size.0) * self.planes * column as usize;
                let lines = self.band.chunks_exact_mut(row_bytes.max(1));
                for (to, from) in lines.zip(self.chunk.chunks_exact(length.max(1))) {
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

    /// Bytes of a row of this many pixels in a strip or tile.
    fn chunk_row_bytes(&self, width: u32) -> usize {
        (width as usize * self.samples * self.bits).div_ceil(8)
    }
}

/// Copies the samples of one plane, of this many bytes each, to their places among the samples of all planes.
fn interleave(to: &mut [u8], from: &[u8], plane: usize, planes: usize, bytes: usize) {
    let targets = to
        .chunks_exact_mut(bytes.max(1))
        .skip(plane)
        .step_by(planes.max(1));
    for (target, sample) in targets.zip(from.chunks_exact(bytes.max(1))) {
        target.copy_from_slice(sample);
    }
}

/// Samples of a pixel as the decoder returns them, and bits of a sample.
fn sample_layout(colour_type: ColorType) -> Result<(usize, u8), DecodeError> {
    match colour_type {
        ColorType::Gray(bits) => Ok((1, bits)),
        ColorType::Multiband {
            bit_depth,
            num_samples,
        } => Ok((num_samples.into(), bit_depth)),
        ColorType::RGB(bits) => Ok((3, bits)),
        ColorType::RGBA(bits) | ColorType::CMYK(bits) => Ok((4, bits)),
        _ => Err(DecodeError::Unsupported(
            "image/tiff with an unsupported colour space",
        )),
    }
}
