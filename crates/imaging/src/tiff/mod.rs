//! TIFF (revision 6.0): its first directory here, the pixels of its first picture by the `tiff` crate.
//!
//! Cameras' raw files begin as TIFF files do, with a picture for the camera's display: they are recognised and not read.
//! JPEG inside TIFF is not read either: its own header may claim a picture of any size, whatever the TIFF says.

mod header;

use std::{borrow::Cow, io::Cursor};

use tiff::{
    ColorType,
    decoder::{Decoder, Limits},
};

use crate::{
    canvas::{Canvas, Pixels, eight_bits},
    exif::tiff as directories,
    form::{Damage, DecodeError, Form, LARGEST_PROFILE, REST, guarded},
    inspect::Scratch,
    raster::Raster,
};
use header::Header;

const PROFILE: u16 = 34_675;

/// A file's first directory as far as it can be read.
#[derive(Debug)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    header: Option<Header<'a>>,
    profile: Option<&'a [u8]>,
    obstacle: Option<&'static str>,
    damage: Option<Damage>,
}

impl<'a> Tiff<'a> {
    /// Reads a file that begins as a TIFF does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            bytes,
            header: None,
            profile: None,
            obstacle: None,
            damage: None,
        };
        file.damage = file.walk().err();
        file
    }

    fn walk(&mut self) -> Result<(), Damage> {
        if let Some([b'I', b'I', 43, _] | [b'M', b'M', _, 43]) = self.bytes.get(..4) {
            self.obstacle = Some("image/tiff of the big kind");
            return Ok(());
        }
        if self.bytes.get(8..10) == Some(b"CR") {
            self.obstacle = Some("image/x-canon-cr2");
            return Ok(());
        }
        let file = directories::Tiff::open(self.bytes).ok_or(Damage::Malformed)?;
        let directory = file.first().ok_or(Damage::Truncated)?;
        let header = Header::read(directory)?;
        self.header = Some(header);
        self.profile = directory.get(PROFILE).map(directories::Value::bytes);
        self.obstacle = header.obstacle();
        if self.obstacle.is_none() {
            header.damage(self.bytes.len()).map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    fn picture(&self) -> Result<Raster, DecodeError> {
        let header = self
            .header
            .ok_or_else(|| DecodeError::damaged("there is no header"))?;
        let mut decoder = Decoder::new(Cursor::new(self.bytes)).map_err(DecodeError::damaged)?;
        // Our own weight has spoken already.
        decoder = decoder.with_limits(Limits::unlimited());
        let size = decoder.dimensions().map_err(DecodeError::damaged)?;
        let (samples, bits) = layout(decoder.colortype().map_err(DecodeError::damaged)?)?;
        let pixels = header.pixels();
        if size != header.size || u32::from(bits) != header.bits || samples < pixels.samples() {
            return Err(DecodeError::damaged("the decoder sees another picture"));
        }
        let (chunk_width, chunk_height) = decoder.chunk_dimensions();
        let across = size.0.div_ceil(chunk_width.max(1));
        let down = size.1.div_ceil(chunk_height.max(1));
        let row_bytes = |width: u32| (width as usize * samples * usize::from(bits)).div_ceil(8);
        let mut canvas = Canvas::new(size, pixels);
        let mut narrow = Narrow {
            samples,
            bits,
            kept: pixels,
            line: Vec::new(),
        };
        let (mut chunk, mut band) = (Vec::new(), Vec::new());
        for row in 0..down {
            for column in 0..across {
                let index = row * across + column;
                let (width, height) = decoder.chunk_data_dimensions(index);
                let length = row_bytes(width);
                chunk.resize(length * height as usize, 0);
                decoder
                    .read_chunk_bytes(index, &mut chunk)
                    .map_err(DecodeError::damaged)?;
                if across > 1 {
                    let whole = row_bytes(size.0);
                    band.resize(whole * height as usize, 0);
                    let left = row_bytes(chunk_width) * column as usize;
                    for (to, from) in band
                        .chunks_exact_mut(whole)
                        .zip(chunk.chunks_exact(length.max(1)))
                    {
                        if let Some(places) = to.get_mut(left..left + length) {
                            places.copy_from_slice(from);
                        }
                    }
                }
            }
            let rows = if across > 1 { &band } else { &chunk };
            for row in rows.chunks_exact(row_bytes(size.0).max(1)) {
                canvas.push(narrow.row(row, size.0 as usize));
            }
        }
        canvas.finish()
    }
}

impl Form for Tiff<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.header.map(|header| header.size)
    }

    fn exif(&self) -> Option<&[u8]> {
        Some(self.bytes)
    }

    fn obstacle(&self) -> Option<&'static str> {
        self.obstacle
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn weight(&self, _edge: u16) -> u64 {
        let Some(header) = self.header else {
            return REST;
        };
        let pixels = u64::from(header.size.0) * u64::from(header.size.1);
        // The places of strips and tiles are read out of the file, once or twice.
        header
            .pixels()
            .weight(pixels)
            .saturating_add(header.chunk_weight())
            .saturating_add(self.bytes.len() as u64)
            .saturating_add(REST)
    }

    fn profile(&self) -> Option<Cow<'_, [u8]>> {
        let profile = self.profile.filter(|profile| profile.len() <= LARGEST_PROFILE);
        profile.map(Cow::Borrowed)
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        guarded(|| self.picture())
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

/// From samples of any size, as many as there are, to those of 8 bits that are kept.
struct Narrow {
    samples: usize,
    bits: u8,
    kept: Pixels,
    line: Vec<u8>,
}

impl Narrow {
    fn row<'a>(&'a mut self, row: &'a [u8], width: usize) -> &'a [u8] {
        let kept = self.kept.samples();
        if self.bits == 8 && self.samples == kept {
            return row;
        }
        self.line.clear();
        match self.bits {
            8 => {
                let pixels = row.chunks_exact(self.samples.max(1));
                self.line.extend(pixels.flat_map(|pixel| pixel.iter().take(kept)));
            }
            16 => {
                // The decoder has brought them to the machine's own order.
                let (samples, _) = row.as_chunks::<2>();
                let pixels = samples.chunks_exact(self.samples.max(1));
                let kept = pixels.flat_map(|pixel| pixel.iter().take(kept));
                self.line
                    .extend(kept.map(|sample| eight_bits(u16::from_ne_bytes(*sample))));
            }
            bits => {
                let most = u8::MAX >> (8 - bits);
                let in_a_byte = 8 / bits;
                let spread = row.iter().flat_map(|&byte| {
                    (1..=in_a_byte).map(move |place| (byte >> (8 - place * bits) & most) * (u8::MAX / most))
                });
                self.line.extend(spread.take(width));
            }
        }
        &self.line
    }
}
