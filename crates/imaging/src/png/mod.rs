//! PNG (third edition of the specification, 2025): its chunks here, its pixels by the `png` crate.
//!
//! The decoder is given the chunks that pixels come from and no other: whatever texts, profiles and animation frames a
//! file holds, they are never inflated. Of an animation, the default image is the picture.
//!
//! `iCCP` is heeded; `sRGB` says what is assumed anyway. `gAMA` and `cHRM` alone are not: more files have wrong ones, left
//! by programs that wrote them for monitors of their time, than right ones that differ from sRGB, and most viewers show
//! such files as sRGB too. `cICP` is not read: a file that has nothing else counts as sRGB.

mod parts;

use std::borrow::Cow;

use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Transformations};

use crate::{
    canvas::{Canvas, Pixels, eight_bits},
    form::{Damage, DecodeError, Form, LARGEST_PROFILE, REST, guarded},
    inspect::Scratch,
    raster::Raster,
};
use parts::Parts;

/// A file's chunks as far as they can be read.
#[derive(Debug)]
pub(crate) struct Png<'a> {
    header: Option<Header>,
    /// The chunks that a decoder needs to see, in order.
    head: Vec<&'a [u8]>,
    /// All `IDAT` chunks: they follow one another.
    data: &'a [u8],
    exif: Option<&'a [u8]>,
    profile: Option<&'a [u8]>,
    transparent: bool,
    obstacle: Option<&'static str>,
    damage: Option<Damage>,
}

/// What `IHDR` says.
#[derive(Debug, Clone, Copy)]
struct Header {
    width: u32,
    height: u32,
    depth: u8,
    colour: u8,
    interlaced: bool,
}

/// Compressed pixels take less than twice their room and this, unless they are blocks of nothing that keep a decoder busy.
const MOST_SURPLUS: u64 = 2 << 20;

/// Profiles of displays and cameras take less; those of presses are not for what a PNG can hold.
const LARGEST_COMPRESSED_PROFILE: usize = 1 << 20;

const SIGNATURE: usize = 8;
/// A chunk's length, type and check sum.
const FRAME: usize = 12;
const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";
/// No compressed byte becomes more (RFC 1951: 258 bytes from two codes of a bit each).
const MOST_INFLATED: u64 = 1032;

impl<'a> Png<'a> {
    /// Reads a file that begins as a PNG does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            header: None,
            head: Vec::new(),
            data: &[],
            exif: None,
            profile: None,
            transparent: false,
            obstacle: None,
            damage: None,
        };
        file.damage = file.walk(bytes).err().or_else(|| file.judge());
        file
    }

    fn walk(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        self.head.push(bytes.get(..SIGNATURE).ok_or(Damage::Truncated)?);
        let mut rest = bytes.get(SIGNATURE..).ok_or(Damage::Truncated)?;
        let mut data = None;
        loop {
            let Chunk { whole, kind, content } = Chunk::first(rest)?;
            let at = bytes.len() - rest.len();
            rest = rest.get(whole.len()..).ok_or(Damage::Truncated)?;
            match (kind, &self.header) {
                (b"IHDR", None) => {
                    self.header = Some(Header::read(content).ok_or(Damage::Malformed)?);
                    self.head.push(whole);
                }
                (b"CgBI", None) => {
                    self.obstacle = Some("image/png in Apple's own way");
                    return Ok(());
                }
                (b"IHDR", Some(_)) | (_, None) => return Err(Damage::Malformed),
                (b"IEND", _) => break,
                (b"IDAT", _) => {
                    let end = at + whole.len();
                    data = match data {
                        None => Some((at, end)),
                        Some((start, before)) if before == at => Some((start, end)),
                        Some(_) => return Err(Damage::Malformed),
                    };
                }
                (b"PLTE" | b"tRNS", _) if data.is_none() => {
                    self.transparent |= kind == b"tRNS";
                    if self.head.len() > 8 {
                        return Err(Damage::Malformed);
                    }
                    self.head.push(whole);
                }
                (b"eXIf", _) if self.exif.is_none() => self.exif = Some(content),
                (b"iCCP", _) if self.profile.is_none() => self.profile = Some(content),
                (b"PLTE", _) => {}
                // A capital letter says that the picture can't be understood without it.
                ([first, ..], _) if first.is_ascii_uppercase() => {
                    self.obstacle = Some("image/png with unknown necessary parts");
                }
                _ => {}
            }
        }
        let (start, end) = data.ok_or(Damage::Truncated)?;
        self.data = bytes.get(start..end).ok_or(Damage::Truncated)?;
        Ok(())
    }

    /// What is wrong once all chunks are known.
    fn judge(&self) -> Option<Damage> {
        let header = self.header?;
        if header.width == 0 || header.height == 0 {
            return Some(Damage::NoPixels);
        }
        if self.obstacle.is_some() {
            return None;
        }
        let length = self.data.len() as u64;
        if length > header.stored().saturating_mul(2).saturating_add(MOST_SURPLUS) {
            return Some(Damage::TooManyParts);
        }
        (length.saturating_mul(MOST_INFLATED) < header.stored()).then_some(Damage::Truncated)
    }

    fn rows(&self) -> Result<Raster, DecodeError> {
        let header = self
            .header
            .ok_or_else(|| DecodeError::damaged("there is no header"))?;
        let parts = Parts::new(self.head.iter().copied().chain([self.data, END]));
        let mut options = DecodeOptions::default();
        options.set_ignore_adler32(false);
        let mut decoder = Decoder::new_with_options(parts, options);
        // Our own weight has spoken already.
        decoder.set_limits(Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::EXPAND);
        let mut reader = decoder.read_info().map_err(DecodeError::damaged)?;
        let (colour, depth) = reader.output_color_type();
        let pixels = match colour {
            ColorType::Grayscale => Pixels::Grey,
            ColorType::GrayscaleAlpha => Pixels::GreyAlpha,
            ColorType::Rgb => Pixels::Rgb,
            ColorType::Rgba => Pixels::Rgba,
            ColorType::Indexed => return Err(DecodeError::damaged("there is no palette")),
        };
        let mut canvas = Canvas::new((header.width, header.height), pixels);
        let mut narrow = Vec::new();
        let mut push = |row: &[u8]| {
            if depth == BitDepth::Sixteen {
                narrow.clear();
                let wide = row.as_chunks::<2>().0.iter();
                narrow.extend(wide.map(|sample| eight_bits(u16::from_be_bytes(*sample))));
                canvas.push(&narrow);
            } else {
                canvas.push(row);
            }
        };
        if header.interlaced {
            let length = reader
                .output_buffer_size()
                .ok_or_else(|| DecodeError::damaged("too large to address"))?;
            let mut picture = vec![0; length];
            let info = reader.next_frame(&mut picture).map_err(DecodeError::damaged)?;
            picture.chunks_exact(info.line_size.max(1)).for_each(push);
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
        let [depth, colour, 0, 0, interlacing @ (0 | 1)] = *rest else {
            return None;
        };
        let allowed: &[u8] = match colour {
            0 => &[1, 2, 4, 8, 16],
            2 | 4 | 6 => &[8, 16],
            3 => &[1, 2, 4, 8],
            _ => return None,
        };
        allowed.contains(&depth).then_some(Self {
            width: u32::from_be_bytes(*width),
            height: u32::from_be_bytes(*height),
            depth,
            colour,
            interlaced: interlacing == 1,
        })
    }

    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Bytes of all rows before they are compressed, at least.
    fn stored(self) -> u64 {
        let samples = match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        let row = (u64::from(self.width) * samples * u64::from(self.depth)).div_ceil(8);
        row.saturating_mul(self.height.into())
    }
}

impl Form for Png<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.header.map(|header| (header.width, header.height))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.exif
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
        let pixels = match header.colour {
            0 | 4 => Pixels::Grey,
            _ => Pixels::Rgb,
        };
        let samples = match (header.colour, self.transparent) {
            (0, false) => 1,
            (0, true) | (4, _) => 2,
            (2 | 3, false) => 3,
            _ => 4,
        };
        let bytes = samples * if header.depth == 16 { 2 } else { 1 };
        // A row before and after it is unfiltered, expanded, and narrowed; all of them where they come interlaced.
        let rows = u64::from(header.width).saturating_mul(bytes * 6);
        let interlaced = if header.interlaced {
            header.pixels().saturating_mul(bytes)
        } else {
            0
        };
        pixels
            .weight((header.width, header.height))
            .saturating_add(rows)
            .saturating_add(interlaced)
            .saturating_add(REST)
    }

    fn profile(&self) -> Option<Cow<'_, [u8]>> {
        let content = self.profile?;
        let name = content.iter().take(80).position(|&byte| byte == 0)?;
        let [0, compressed @ ..] = content.get(name + 1..)? else {
            return None;
        };
        if compressed.len() > LARGEST_COMPRESSED_PROFILE {
            return None;
        }
        let profile = fdeflate::decompress_to_vec_bounded(compressed, LARGEST_PROFILE).ok()?;
        Some(Cow::Owned(profile))
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        guarded(|| self.rows())
    }
}

struct Chunk<'a> {
    whole: &'a [u8],
    kind: &'a [u8; 4],
    content: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk at the beginning.
    fn first(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (length, rest) = bytes.split_first_chunk().ok_or(Damage::Truncated)?;
        let (kind, rest) = rest.split_first_chunk::<4>().ok_or(Damage::Truncated)?;
        let length = u32::from_be_bytes(*length);
        if length > u32::MAX >> 1 || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(Damage::Malformed);
        }
        let length = usize::try_from(length).map_err(|_| Damage::Malformed)?;
        Ok(Self {
            whole: bytes.get(..length + FRAME).ok_or(Damage::Truncated)?,
            kind,
            content: rest.get(..length).ok_or(Damage::Truncated)?,
        })
    }
}
