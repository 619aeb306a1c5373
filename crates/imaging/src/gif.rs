//! GIF (89a): the blocks are parsed here; the pixels are decoded by the `gif` crate, which receives only the first
//! frame.

use std::{borrow::Cow, io::Read};

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use crate::{
    canvas::{Canvas, PixelFormat},
    decoder::{FIXED_OVERHEAD_BYTES, ImageDecoder, catch_panics},
    error::{Damage, DecodeError},
    lzw,
    raster::Raster,
    scratch::Scratch,
};

/// A parsed GIF file.
#[derive(Debug)]
pub(crate) struct Gif<'a> {
    /// Width and height of the logical screen.
    screen: Option<(u32, u32)>,
    /// Header, logical screen descriptor and global colour table.
    header: &'a [u8],
    first_frame: Option<Frame<'a>>,
    damage: Option<Damage>,
}

#[derive(Debug)]
struct Frame<'a> {
    /// Left and top on the logical screen.
    position: (u32, u32),
    size: (u32, u32),
    /// Graphic control extension, which gives the transparent colour; empty if there is none.
    graphic_control: &'a [u8],
    /// Image descriptor, local colour table and image data.
    image: &'a [u8],
}

/// Length of the header and the logical screen descriptor.
const HEADER_BYTES: usize = 13;
const IMAGE_DESCRIPTOR_BYTES: usize = 10;
const EXTENSION_INTRODUCER: u8 = 0x21;
const GRAPHIC_CONTROL_LABEL: u8 = 0xF9;
const IMAGE_SEPARATOR: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
/// An LZW code represents at most 4096 pixels and takes at least three bits; this is rounded up to whole bytes.
const MAX_PIXELS_PER_BYTE: u64 = 3 * 4096;

impl<'a> Gif<'a> {
    /// Parses a file that starts with a GIF signature.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            screen: None,
            header: &[],
            first_frame: None,
            damage: None,
        };
        file.damage = file.parse(bytes).err().or_else(|| file.validate());
        file
    }

    fn parse(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let screen = bytes.get(6..HEADER_BYTES).ok_or(Damage::Truncated)?;
        self.screen = Some(u16_pair(screen).ok_or(Damage::Truncated)?);
        let global_table = colour_table_bytes(screen.get(4));
        self.header = bytes
            .get(..HEADER_BYTES + global_table)
            .ok_or(Damage::Truncated)?;
        let mut rest = bytes.get(HEADER_BYTES + global_table..).unwrap_or_default();
        let mut graphic_control: &[u8] = &[];
        loop {
            let block = match (rest.first(), &self.first_frame) {
                (Some(&EXTENSION_INTRODUCER), _) => {
                    let length = end_of_sub_blocks(rest, 2)?;
                    let block = rest.get(..length).ok_or(Damage::Truncated)?;
                    if block.get(1) == Some(&GRAPHIC_CONTROL_LABEL) {
                        graphic_control = block;
                    }
                    block
                }
                (Some(&IMAGE_SEPARATOR), first_frame) => {
                    let descriptor = rest.get(..IMAGE_DESCRIPTOR_BYTES).ok_or(Damage::Truncated)?;
                    let local_table = colour_table_bytes(descriptor.get(9));
                    // One byte before the sub-blocks is the minimum code size.
                    let length = end_of_sub_blocks(rest, IMAGE_DESCRIPTOR_BYTES + local_table + 1)?;
                    let image = rest.get(..length).ok_or(Damage::Truncated)?;
                    if first_frame.is_none() {
                        self.first_frame = Some(Frame {
                            position: descriptor.get(1..).and_then(u16_pair).ok_or(Damage::Truncated)?,
                            size: descriptor.get(5..).and_then(u16_pair).ok_or(Damage::Truncated)?,
                            graphic_control,
                            image,
                        });
                    }
                    image
                }
                // Some programs leave the trailer out or append other data to the last frame, and all viewers accept
                // that.
                (Some(&TRAILER), _) | (_, Some(_)) => return Ok(()),
                (None, None) => return Err(Damage::Truncated),
                (Some(_), None) => return Err(Damage::Malformed),
            };
            rest = rest.get(block.len()..).unwrap_or_default();
        }
    }

    /// Size of the image, and position of the first frame in it. Some programs declare no logical screen, or one that
    /// is smaller than the frame: then the frame is the image, as in browsers.
    fn canvas(&self) -> Option<((u32, u32), (u32, u32))> {
        let screen = self.screen?;
        let Some(frame) = &self.first_frame else {
            return Some((screen, (0, 0)));
        };
        let fits = frame.size.0 <= screen.0 && frame.size.1 <= screen.1;
        Some(if fits {
            (screen, frame.position)
        } else {
            (frame.size, (0, 0))
        })
    }

    /// Checks that need all blocks.
    fn validate(&self) -> Option<Damage> {
        let Some(frame) = &self.first_frame else {
            return Some(Damage::NoPixels);
        };
        if frame.size.0 == 0 || frame.size.1 == 0 {
            return Some(Damage::NoPixels);
        }
        let max_pixels = (frame.image.len() as u64).saturating_mul(MAX_PIXELS_PER_BYTE);
        if max_pixels < pixels(frame.size) {
            return Some(Damage::Truncated);
        }
        let data = IMAGE_DESCRIPTOR_BYTES + colour_table_bytes(frame.image.get(9));
        let (&min_code_size, sub_blocks) = frame.image.get(data..)?.split_first()?;
        if !lzw::MIN_CODE_SIZES.contains(&min_code_size) {
            return Some(Damage::Malformed);
        }
        lzw::has_excessive_clears(min_code_size, sub_blocks).then_some(Damage::TooManyParts)
    }

    fn decode_first_frame(&self) -> Result<Raster, DecodeError> {
        let missing = || DecodeError::damaged("the file has no image");
        let ((size, position), frame) = self.canvas().zip(self.first_frame.as_ref()).ok_or_else(missing)?;
        let file = self
            .header
            .chain(frame.graphic_control)
            .chain(frame.image)
            .chain(&[TRAILER][..]);
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        // The memory budget is checked before decoding starts.
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder = options.read_info(file).map_err(DecodeError::damaged)?;
        let global_table = decoder.global_palette().map(<[u8]>::to_vec);
        let header = decoder
            .next_frame_info()
            .map_err(DecodeError::damaged)?
            .ok_or_else(missing)?;
        let local_table = header.palette.clone();
        let table = local_table
            .or(global_table)
            .ok_or_else(|| DecodeError::damaged("the image has no colour table"))?;
        let colours = colours(&table, header.transparent);
        let width = usize::from(header.width);
        let mut indices = vec![0; width * usize::from(header.height)];
        decoder
            .read_into_buffer(&mut indices)
            .map_err(DecodeError::damaged)?;
        let mut canvas = Canvas::new(size, PixelFormat::Rgb);
        let rows = indices.chunks_exact(width.max(1));
        canvas.push_at(position, rows, |indices, row| {
            for (pixel, &index) in row.as_chunks_mut().0.iter_mut().zip(indices) {
                *pixel = colours.get(usize::from(index)).copied().unwrap_or_default();
            }
        });
        canvas.finish()
    }
}

impl ImageDecoder for Gif<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.canvas().map(|(size, _)| size)
    }

    fn exif(&self) -> Option<&[u8]> {
        None
    }

    fn unsupported_feature(&self) -> Option<&'static str> {
        None
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn max_memory_bytes(&self, _edge: u16) -> u64 {
        let frame = self.first_frame.as_ref().map_or(0, |frame| pixels(frame.size));
        let canvas = self.size().map_or(0, |size| PixelFormat::Rgb.canvas_bytes(size));
        canvas + frame + FIXED_OVERHEAD_BYTES
    }

    fn icc_profile(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        catch_panics(|| self.decode_first_frame())
    }
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Two little-endian integers of 16 bits.
fn u16_pair(bytes: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = bytes.split_first_chunk()?;
    let second = rest.first_chunk()?;
    Some((
        u16::from_le_bytes(*first).into(),
        u16::from_le_bytes(*second).into(),
    ))
}

/// Length of the colour table that these packed fields declare.
fn colour_table_bytes(packed_fields: Option<&u8>) -> usize {
    match packed_fields {
        Some(fields) if fields & 0x80 != 0 => 3 << ((fields & 7) + 1),
        _ => 0,
    }
}

/// End of the sub-blocks that start at `at`, after their terminator.
fn end_of_sub_blocks(bytes: &[u8], mut at: usize) -> Result<usize, Damage> {
    loop {
        let length = usize::from(*bytes.get(at).ok_or(Damage::Truncated)?);
        at += 1 + length;
        if length == 0 {
            return Ok(at);
        }
    }
}

/// Colour of every index: the transparent index is white, indices beyond the table are black.
fn colours(table: &[u8], transparent: Option<u8>) -> [[u8; 3]; 256] {
    let mut colours = [[0; 3]; 256];
    for (target, colour) in colours.iter_mut().zip(table.as_chunks().0) {
        *target = *colour;
    }
    if let Some(target) = transparent.and_then(|index| colours.get_mut(usize::from(index))) {
        *target = [u8::MAX; 3];
    }
    colours
}
