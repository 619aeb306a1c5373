//! GIF (89a): its blocks here, the pixels of its first frame by the `gif` crate, which is given that frame and no other.

use std::{borrow::Cow, io::Read};

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use crate::{
    canvas::{Canvas, Pixels},
    form::{Damage, DecodeError, Form, REST, guarded},
    inspect::Scratch,
    lzw,
    raster::Raster,
};

/// A file's blocks as far as they can be read.
#[derive(Debug)]
pub(crate) struct Gif<'a> {
    screen: Option<(u32, u32)>,
    /// The header, with the palette of all frames.
    head: &'a [u8],
    first: Option<Frame<'a>>,
    damage: Option<Damage>,
}

#[derive(Debug)]
struct Frame<'a> {
    at: (u32, u32),
    size: (u32, u32),
    /// The block that speaks of its transparency.
    control: &'a [u8],
    /// From its descriptor to the end of its pixels.
    image: &'a [u8],
}

/// Signature and screen descriptor.
const HEAD: usize = 13;
/// A frame's place, size and flags.
const DESCRIPTOR: usize = 10;
const EXTENSION: u8 = 0x21;
const CONTROL: u8 = 0xF9;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
/// No code of LZW stands for more, and none takes less than three bits.
const MOST_PIXELS_PER_BYTE: u64 = 3 * 4096;

impl<'a> Gif<'a> {
    /// Reads a file that begins as a GIF does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            screen: None,
            head: &[],
            first: None,
            damage: None,
        };
        file.damage = file.walk(bytes).err().or_else(|| file.judge());
        file
    }

    fn walk(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let screen = bytes.get(6..HEAD).ok_or(Damage::Truncated)?;
        self.screen = Some(pair(screen).ok_or(Damage::Truncated)?);
        let palette = palette_length(screen.get(4));
        self.head = bytes.get(..HEAD + palette).ok_or(Damage::Truncated)?;
        let mut rest = bytes.get(HEAD + palette..).unwrap_or_default();
        let mut control: &[u8] = &[];
        loop {
            let block = match (rest.first(), &self.first) {
                (Some(&EXTENSION), _) => {
                    let length = sub_blocks(rest, 2)?;
                    let block = rest.get(..length).ok_or(Damage::Truncated)?;
                    if block.get(1) == Some(&CONTROL) {
                        control = block;
                    }
                    block
                }
                (Some(&IMAGE), first) => {
                    let descriptor = rest.get(..DESCRIPTOR).ok_or(Damage::Truncated)?;
                    let palette = palette_length(descriptor.get(9));
                    // The size of the first codes stands before the pixels.
                    let length = sub_blocks(rest, DESCRIPTOR + palette + 1)?;
                    let image = rest.get(..length).ok_or(Damage::Truncated)?;
                    if first.is_none() {
                        self.first = Some(Frame {
                            at: descriptor.get(1..).and_then(pair).ok_or(Damage::Truncated)?,
                            size: descriptor.get(5..).and_then(pair).ok_or(Damage::Truncated)?,
                            control,
                            image,
                        });
                    }
                    image
                }
                // Some programs leave the trailer away or put something behind the last frame, and all viewers bear it.
                (Some(&TRAILER), _) | (_, Some(_)) => return Ok(()),
                (None, None) => return Err(Damage::Truncated),
                (Some(_), None) => return Err(Damage::Malformed),
            };
            rest = rest.get(block.len()..).unwrap_or_default();
        }
    }

    /// The size of the picture, and where its first frame lies. Some programs write no screen, or one that is too small for
    /// the frame: then the frame is the picture, as it is in browsers.
    fn canvas(&self) -> Option<((u32, u32), (u32, u32))> {
        let screen = self.screen?;
        let Some(frame) = &self.first else {
            return Some((screen, (0, 0)));
        };
        let fits = frame.size.0 <= screen.0 && frame.size.1 <= screen.1;
        Some(if fits {
            (screen, frame.at)
        } else {
            (frame.size, (0, 0))
        })
    }

    /// What is wrong once all blocks are known.
    fn judge(&self) -> Option<Damage> {
        let Some(frame) = &self.first else {
            return Some(Damage::NoPixels);
        };
        if frame.size.0 == 0 || frame.size.1 == 0 {
            return Some(Damage::NoPixels);
        }
        let most = (frame.image.len() as u64).saturating_mul(MOST_PIXELS_PER_BYTE);
        if most < pixels(frame.size) {
            return Some(Damage::Truncated);
        }
        let data = DESCRIPTOR + palette_length(frame.image.get(9));
        let (&first_bits, blocks) = frame.image.get(data..)?.split_first()?;
        if !lzw::FIRST_BITS.contains(&first_bits) {
            return Some(Damage::Malformed);
        }
        lzw::is_idle(first_bits, blocks).then_some(Damage::TooManyParts)
    }

    fn picture(&self) -> Result<Raster, DecodeError> {
        let missing = || DecodeError::damaged("there is no picture");
        let ((size, at), frame) = self.canvas().zip(self.first.as_ref()).ok_or_else(missing)?;
        let file = self
            .head
            .chain(frame.control)
            .chain(frame.image)
            .chain(&[TRAILER][..]);
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        // Our own weight has spoken already.
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder = options.read_info(file).map_err(DecodeError::damaged)?;
        let common = decoder.global_palette().map(<[u8]>::to_vec);
        let header = decoder
            .next_frame_info()
            .map_err(DecodeError::damaged)?
            .ok_or_else(missing)?;
        let own = header.palette.clone();
        let palette = own
            .or(common)
            .ok_or_else(|| DecodeError::damaged("there is no palette"))?;
        let colours = colours(&palette, header.transparent);
        let width = usize::from(header.width);
        let mut indices = vec![0; width * usize::from(header.height)];
        decoder
            .read_into_buffer(&mut indices)
            .map_err(DecodeError::damaged)?;
        let mut canvas = Canvas::new(size, Pixels::Rgb);
        let rows = indices.chunks_exact(width.max(1));
        canvas.push_within(at, rows, |indices, row| {
            for (place, &index) in row.as_chunks_mut().0.iter_mut().zip(indices) {
                *place = colours.get(usize::from(index)).copied().unwrap_or_default();
            }
        });
        canvas.finish()
    }
}

impl Form for Gif<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.canvas().map(|(size, _)| size)
    }

    fn exif(&self) -> Option<&[u8]> {
        None
    }

    fn obstacle(&self) -> Option<&'static str> {
        None
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn weight(&self, _edge: u16) -> u64 {
        let frame = self.first.as_ref().map_or(0, |frame| pixels(frame.size));
        let canvas = self.size().map_or(0, |size| Pixels::Rgb.weight(size));
        canvas + frame + REST
    }

    fn profile(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        guarded(|| self.picture())
    }
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Two numbers of 16 bits.
fn pair(bytes: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = bytes.split_first_chunk()?;
    let second = rest.first_chunk()?;
    Some((
        u16::from_le_bytes(*first).into(),
        u16::from_le_bytes(*second).into(),
    ))
}

/// Bytes of the palette that these flags announce.
fn palette_length(flags: Option<&u8>) -> usize {
    match flags {
        Some(flags) if flags & 0x80 != 0 => 3 << ((flags & 7) + 1),
        _ => 0,
    }
}

/// The length of a block whose sub-blocks begin at `at`.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Result<usize, Damage> {
    loop {
        let length = usize::from(*bytes.get(at).ok_or(Damage::Truncated)?);
        at += 1 + length;
        if length == 0 {
            return Ok(at);
        }
    }
}

/// The colour of every index: what can be seen through shows white, and what has no colour is black.
fn colours(palette: &[u8], transparent: Option<u8>) -> [[u8; 3]; 256] {
    let mut colours = [[0; 3]; 256];
    for (place, colour) in colours.iter_mut().zip(palette.as_chunks().0) {
        *place = *colour;
    }
    if let Some(place) = transparent.and_then(|index| colours.get_mut(usize::from(index))) {
        *place = [u8::MAX; 3];
    }
    colours
}
