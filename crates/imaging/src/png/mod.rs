//! PNG (third edition of the specification, 2025): the chunks are parsed here; the pixels are decoded by the `png`
//! crate.
//!
//! The decoder receives only the chunks that pixels need, so texts, profiles and animation frames are never inflated.
//! Of an animation, the default image is read.
//!
//! `iCCP` is applied; `sRGB` declares the default. `gAMA` and `cHRM` alone are ignored: most files that have them and
//! differ from sRGB are wrong, written by programs for the monitors of their time, and most viewers display such files
//! as sRGB too. `cICP` is not supported: a file that has no profile beside it is treated as sRGB.

mod chunk_reader;

use std::borrow::Cow;

use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Transformations};

use crate::{
    canvas::{Canvas, PixelFormat, to_eight_bits},
    decoder::{FIXED_OVERHEAD_BYTES, ImageDecoder, MAX_ICC_PROFILE_BYTES, catch_panics},
    error::{Damage, DecodeError},
    raster::Raster,
    scratch::Scratch,
};
use chunk_reader::ChunkReader;

/// A parsed PNG file.
#[derive(Debug)]
pub(crate) struct Png<'a> {
    header: Option<Header>,
    /// Signature and chunks before the image data that a decoder needs, in file order.
    leading_chunks: Vec<&'a [u8]>,
    /// All `IDAT` chunks, which must be consecutive.
    image_data: &'a [u8],
    exif: Option<&'a [u8]>,
    /// Content of `iCCP`.
    profile: Option<&'a [u8]>,
    has_transparency: bool,
    unsupported_feature: Option<&'static str>,
    damage: Option<Damage>,
}

/// Content of `IHDR`.
#[derive(Debug, Clone, Copy)]
struct Header {
    width: u32,
    height: u32,
    bit_depth: u8,
    colour_type: u8,
    is_interlaced: bool,
}

/// Compressed image data may exceed twice the raw data by this many bytes. More is empty deflate blocks that would keep
/// a decoder busy.
const MAX_COMPRESSED_SURPLUS: u64 = 2 << 20;

/// Profiles of displays and cameras take less; those of printing presses are for CMYK, which PNG does not have.
const MAX_COMPRESSED_PROFILE_BYTES: usize = 1 << 20;

const SIGNATURE_BYTES: usize = 8;
/// Bytes of a chunk's length, type and CRC.
const CHUNK_OVERHEAD_BYTES: usize = 12;
const IEND_CHUNK: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";
/// Highest compression ratio of deflate (RFC 1951: 258 bytes by two codes of one bit each).
const MAX_DEFLATE_RATIO: u64 = 1032;

impl<'a> Png<'a> {
    /// Parses a file that starts with the PNG signature.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            header: None,
            leading_chunks: Vec::new(),
            image_data: &[],
            exif: None,
            profile: None,
            has_transparency: false,
            unsupported_feature: None,
            damage: None,
        };
        file.damage = file.parse(bytes).err().or_else(|| file.validate());
        file
    }

    fn parse(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        self.leading_chunks
            .push(bytes.get(..SIGNATURE_BYTES).ok_or(Damage::Truncated)?);
        let mut rest = bytes.get(SIGNATURE_BYTES..).ok_or(Damage::Truncated)?;
        let mut image_data = None;
        loop {
            let Chunk { whole, kind, content } = Chunk::first(rest)?;
            let at = bytes.len() - rest.len();
            rest = rest.get(whole.len()..).ok_or(Damage::Truncated)?;
            match (kind, &self.header) {
                (b"IHDR", None) => {
                    self.header = Some(Header::read(content).ok_or(Damage::Malformed)?);
                    self.leading_chunks.push(whole);
                }
                (b"CgBI", None) => {
                    self.unsupported_feature = Some("image/png with Apple CgBI");
                    return Ok(());
                }
                (b"IHDR", Some(_)) | (_, None) => return Err(Damage::Malformed),
                (b"IEND", _) => break,
                (b"IDAT", _) => {
                    let end = at + whole.len();
                    image_data = match image_data {
                        None => Some((at, end)),
                        Some((start, previous_end)) if previous_end == at => Some((start, end)),
                        Some(_) => return Err(Damage::Malformed),
                    };
                }
                (b"PLTE" | b"tRNS", _) if image_data.is_none() => {
                    self.has_transparency |= kind == b"tRNS";
                    if self.leading_chunks.len() > 8 {
                        return Err(Damage::Malformed);
                    }
                    self.leading_chunks.push(whole);
                }
                (b"eXIf", _) if self.exif.is_none() => self.exif = Some(content),
                (b"iCCP", _) if self.profile.is_none() => self.profile = Some(content),
                (b"PLTE", _) => {}
                // An upper-case first letter marks a critical chunk.
                ([first, ..], _) if first.is_ascii_uppercase() => {
                    self.unsupported_feature = Some("image/png with an unknown critical chunk");
                }
                _ => {}
            }
        }
        let (start, end) = image_data.ok_or(Damage::Truncated)?;
        self.image_data = bytes.get(start..end).ok_or(Damage::Truncated)?;
        Ok(())
    }

    /// Checks that need all chunks.
    fn validate(&self) -> Option<Damage> {
        let header = self.header?;
        if header.width == 0 || header.height == 0 {
            return Some(Damage::NoPixels);
        }
        if self.unsupported_feature.is_some() {
            return None;
        }
        let length = self.image_data.len() as u64;
        let raw = header.raw_bytes();
        if length > raw.saturating_mul(2).saturating_add(MAX_COMPRESSED_SURPLUS) {
            return Some(Damage::TooManyParts);
        }
        (length.saturating_mul(MAX_DEFLATE_RATIO) < raw).then_some(Damage::Truncated)
    }

    fn decode_pixels(&self) -> Result<Raster, DecodeError> {
        let header = self
            .header
            .ok_or_else(|| DecodeError::damaged("IHDR is missing"))?;
        let slices = self
            .leading_chunks
            .iter()
            .copied()
            .chain([self.image_data, IEND_CHUNK]);
        let mut options = DecodeOptions::default();
        options.set_ignore_adler32(false);
        let mut decoder = Decoder::new_with_options(ChunkReader::new(slices), options);
        // The memory budget is checked before decoding starts.
        decoder.set_limits(Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::EXPAND);
        let mut reader = decoder.read_info().map_err(DecodeError::damaged)?;
        let (colour_type, bit_depth) = reader.output_color_type();
        let format = match colour_type {
            ColorType::Grayscale => PixelFormat::Grey,
            ColorType::GrayscaleAlpha => PixelFormat::GreyAlpha,
            ColorType::Rgb => PixelFormat::Rgb,
            ColorType::Rgba => PixelFormat::Rgba,
            ColorType::Indexed => return Err(DecodeError::damaged("PLTE is missing")),
        };
        let mut canvas = Canvas::new((header.width, header.height), format);
        let mut narrow = Vec::new();
        let mut push = |row: &[u8]| {
            if bit_depth == BitDepth::Sixteen {
                narrow.clear();
                let wide = row.as_chunks::<2>().0.iter();
                narrow.extend(wide.map(|sample| to_eight_bits(u16::from_be_bytes(*sample))));
                canvas.push(&narrow);
            } else {
                canvas.push(row);
            }
        };
        if header.is_interlaced {
            let length = reader
                .output_buffer_size()
                .ok_or_else(|| DecodeError::damaged("the image is too large to address"))?;
            let mut image = vec![0; length];
            let info = reader.next_frame(&mut image).map_err(DecodeError::damaged)?;
            image.chunks_exact(info.line_size.max(1)).for_each(push);
        } else {
            while let Some(row) = reader.next_row().map_err(DecodeError::damaged)? {
                push(row.data());
            }
        }
        canvas.finish()
    }
}

impl Header {
    fn read(content: &[u8]) -> Option<Self> {
        let (width, rest) = content.split_first_chunk()?;
        let (height, rest) = rest.split_first_chunk()?;
        let [bit_depth, colour_type, 0, 0, interlace_method @ (0 | 1)] = *rest else {
            return None;
        };
        let allowed_depths: &[u8] = match colour_type {
            0 => &[1, 2, 4, 8, 16],
            2 | 4 | 6 => &[8, 16],
            3 => &[1, 2, 4, 8],
            _ => return None,
        };
        allowed_depths.contains(&bit_depth).then_some(Self {
            width: u32::from_be_bytes(*width),
            height: u32::from_be_bytes(*height),
            bit_depth,
            colour_type,
            is_interlaced: interlace_method == 1,
        })
    }

    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Lower bound of the image data before compression, in bytes: all rows without their filter types.
    fn raw_bytes(self) -> u64 {
        let samples = match self.colour_type {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        let row = (u64::from(self.width) * samples * u64::from(self.bit_depth)).div_ceil(8);
        row.saturating_mul(self.height.into())
    }
}

impl ImageDecoder for Png<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.header.map(|header| (header.width, header.height))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.exif
    }

    fn unsupported_feature(&self) -> Option<&'static str> {
        self.unsupported_feature
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn max_memory_bytes(&self, _edge: u16) -> u64 {
        let Some(header) = self.header else {
            return FIXED_OVERHEAD_BYTES;
        };
        let format = match header.colour_type {
            0 | 4 => PixelFormat::Grey,
            _ => PixelFormat::Rgb,
        };
        let samples = match (header.colour_type, self.has_transparency) {
            (0, false) => 1,
            (0, true) | (4, _) => 2,
            (2 | 3, false) => 3,
            _ => 4,
        };
        let pixel = samples * if header.bit_depth == 16 { 2 } else { 1 };
        // Rows before and after unfiltering, expansion and conversion to 8 bits.
        let rows = u64::from(header.width).saturating_mul(pixel * 6);
        // An interlaced image is decoded as a whole.
        let interlaced = if header.is_interlaced {
            header.pixels().saturating_mul(pixel)
        } else {
            0
        };
        format
            .canvas_bytes((header.width, header.height))
            .saturating_add(rows)
            .saturating_add(interlaced)
            .saturating_add(FIXED_OVERHEAD_BYTES)
    }

    fn icc_profile(&self) -> Option<Cow<'_, [u8]>> {
        let content = self.profile?;
        let name = content.iter().take(80).position(|&byte| byte == 0)?;
        let [0, compressed @ ..] = content.get(name + 1..)? else {
            return None;
        };
        if compressed.len() > MAX_COMPRESSED_PROFILE_BYTES {
            return None;
        }
        let profile = fdeflate::decompress_to_vec_bounded(compressed, MAX_ICC_PROFILE_BYTES).ok()?;
        Some(Cow::Owned(profile))
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        catch_panics(|| self.decode_pixels())
    }
}

struct Chunk<'a> {
    /// Length, type, content and CRC.
    whole: &'a [u8],
    kind: &'a [u8; 4],
    content: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk at the start of `bytes`.
    fn first(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (length, rest) = bytes.split_first_chunk().ok_or(Damage::Truncated)?;
        let (kind, rest) = rest.split_first_chunk::<4>().ok_or(Damage::Truncated)?;
        let length = u32::from_be_bytes(*length);
        if length > u32::MAX >> 1 || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(Damage::Malformed);
        }
        let length = usize::try_from(length).map_err(|_| Damage::Malformed)?;
        Ok(Self {
            whole: bytes
                .get(..length + CHUNK_OVERHEAD_BYTES)
                .ok_or(Damage::Truncated)?,
            kind,
            content: rest.get(..length).ok_or(Damage::Truncated)?,
        })
    }
}
