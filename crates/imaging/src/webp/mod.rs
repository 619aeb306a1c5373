//! WebP (RFC 9649): the chunks are parsed here; the pixels are decoded by libwebp.
//!
//! The decoder receives a new file of one still image. Metadata and all frames of an animation but the first never
//! reach it.

mod chunk;
mod frame;
mod prefix_codes;
mod range;

use std::borrow::Cow;

use webpx::{Decoder, DecoderConfig, Limits, YuvPlanes};

use crate::{
    canvas::{Canvas, PixelFormat},
    decoder::{FIXED_OVERHEAD_BYTES, ImageDecoder, MAX_ICC_PROFILE_BYTES, catch_panics},
    error::{Damage, DecodeError},
    raster::{ColourModel, Plane, Raster},
    scratch::Scratch,
};
use chunk::{Chunk, le_integer};
use frame::{Coding, Frame};

/// A parsed WebP file.
#[derive(Debug)]
pub(crate) struct Webp<'a> {
    /// Width and height that `VP8X` declares.
    canvas: Option<(u32, u32)>,
    frame: Option<Frame<'a>>,
    exif: Option<&'a [u8]>,
    profile: Option<&'a [u8]>,
    damage: Option<Damage>,
}

impl<'a> Webp<'a> {
    /// Parses a file that starts with a WebP file header.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            canvas: None,
            frame: None,
            exif: None,
            profile: None,
            damage: None,
        };
        file.damage = file.parse(bytes).err().or_else(|| file.validate());
        file
    }

    fn parse(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let length = bytes.get(4..8).and_then(le_integer).ok_or(Damage::Truncated)?;
        let end = (length as usize).saturating_add(8);
        // Bytes after the RIFF container are ignored.
        let mut chunks = bytes.get(12..end.min(bytes.len())).ok_or(Damage::Truncated)?;
        let mut alpha = None;
        let mut is_truncated = end > bytes.len();
        while !chunks.is_empty() {
            let Ok(Chunk { kind, content, rest }) = Chunk::first(chunks) else {
                // Size and metadata that were read before the damage are reported nevertheless.
                is_truncated = true;
                break;
            };
            chunks = rest;
            match kind {
                b"VP8X" if self.canvas.is_none() => {
                    let edge = |at: usize| {
                        let minus_one = content.get(at..at + 3).and_then(le_integer)?;
                        Some(minus_one + 1)
                    };
                    let size = edge(4).zip(edge(7)).ok_or(Damage::Malformed)?;
                    self.canvas = Some(size);
                }
                b"ICCP" if self.profile.is_none() => self.profile = Some(content),
                b"EXIF" if self.exif.is_none() => {
                    self.exif = Some(content.strip_prefix(b"Exif\0\0").unwrap_or(content));
                }
                b"ALPH" if self.frame.is_none() => alpha = Some(content),
                b"VP8 " | b"VP8L" if self.frame.is_none() => {
                    self.frame = Some(Frame::still(*kind, alpha, content)?);
                }
                b"ANMF" if self.frame.is_none() => self.frame = Some(Frame::animated(content)?),
                _ => {}
            }
        }
        if is_truncated {
            Err(Damage::Truncated)
        } else {
            Ok(())
        }
    }

    /// Checks that need all chunks.
    fn validate(&self) -> Option<Damage> {
        let Some(frame) = &self.frame else {
            return Some(Damage::Truncated);
        };
        if frame.size.0 == 0 || frame.size.1 == 0 {
            return Some(Damage::NoPixels);
        }
        let (width, height) = self.canvas.unwrap_or(frame.size);
        let fits = if frame.is_animated {
            let end = |start: u32, edge: u32| start.saturating_add(edge);
            end(frame.position.0, frame.size.0) <= width && end(frame.position.1, frame.size.1) <= height
        } else {
            frame.size == (width, height)
        };
        (!fits).then_some(Damage::Malformed)
    }

    fn decode_frame(&self) -> Result<Raster, DecodeError> {
        let frame = self
            .frame
            .as_ref()
            .ok_or_else(|| DecodeError::damaged("the file has no image"))?;
        let size = self.canvas.unwrap_or(frame.size);
        let file = frame.to_file();
        let decoder = Decoder::new(&file)
            .map_err(|error| DecodeError::damaged(error.error()))?
            // The memory budget is checked before decoding starts.
            .config(DecoderConfig::new().limits(Limits::none()));
        if (decoder.info().width, decoder.info().height) != frame.size {
            return Err(DecodeError::damaged(
                "the decoder reads another size from the frame header",
            ));
        }
        let covers_canvas = size == frame.size;
        if covers_canvas && frame.coding == Coding::Lossy && frame.alpha.is_none() {
            let planes = decoder
                .decode_yuv()
                .map_err(|error| DecodeError::damaged(error.error()))?;
            return yuv_raster(frame.size, planes);
        }
        let format = if covers_canvas && frame.coding == Coding::Lossless && !frame.uses_alpha {
            PixelFormat::Rgb
        } else {
            PixelFormat::Rgba
        };
        let stride = frame.size.0 as usize * format.samples();
        let mut pixels = vec![0; stride * frame.size.1 as usize];
        let stride_bytes = u32::try_from(stride).map_err(DecodeError::damaged)?;
        if format == PixelFormat::Rgb {
            decoder.decode_rgb_into(&mut pixels, stride_bytes)
        } else {
            decoder.decode_rgba_into(&mut pixels, stride_bytes)
        }
        .map_err(|error| DecodeError::damaged(error.error()))?;
        let mut canvas = Canvas::new(size, format);
        canvas.push_at(
            frame.position,
            pixels.chunks_exact(stride.max(1)),
            |row, targets| {
                for (target, sample) in targets.iter_mut().zip(row) {
                    *target = *sample;
                }
            },
        );
        canvas.finish()
    }
}

impl ImageDecoder for Webp<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.canvas.or_else(|| Some(self.frame.as_ref()?.size))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.exif
    }

    fn unsupported_feature(&self) -> Option<&'static str> {
        None
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn max_memory_bytes(&self, _edge: u16) -> u64 {
        let (Some(frame), Some(canvas)) = (&self.frame, self.size()) else {
            return FIXED_OVERHEAD_BYTES;
        };
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let bytes_per_pixel = match (frame.coding, frame.alpha) {
            // YCbCr with subsampled chroma, in libwebp and in the raster.
            (Coding::Lossy, None) if canvas == frame.size => 4,
            // YCbCr and alpha in libwebp, and RGBA.
            (Coding::Lossy, _) if frame.lossless_stream().is_none() => 7,
            // RGBA in libwebp and here, and three transform images with a pixel for 16 pixels.
            _ => 11,
        };
        let tables = frame
            .lossless_stream()
            .map_or(0, |stream| prefix_codes::max_table_bytes(frame.size, stream));
        (pixels(frame.size) * bytes_per_pixel)
            .saturating_add(tables)
            .saturating_add(PixelFormat::Rgba.canvas_bytes(canvas))
            .saturating_add(frame.max_file_bytes() as u64)
            .saturating_add(FIXED_OVERHEAD_BYTES)
    }

    fn icc_profile(&self) -> Option<Cow<'_, [u8]>> {
        let profile = self
            .profile
            .filter(|profile| profile.len() <= MAX_ICC_PROFILE_BYTES);
        profile.map(Cow::Borrowed)
    }

    fn decode(&self, _edge: u16, _scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        catch_panics(|| self.decode_frame())
    }
}

/// Raster of VP8's planes, which have the layout of JPEG's planes and a smaller range.
fn yuv_raster(size: (u32, u32), planes: YuvPlanes) -> Result<Raster, DecodeError> {
    let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
    let remove_padding = |size: (u32, u32), stride: usize, mut samples: Vec<u8>| {
        let (width, height) = (size.0 as usize, size.1 as usize);
        if stride > width {
            for row in 1..height {
                let from = row * stride;
                if from + width <= samples.len() {
                    samples.copy_within(from..from + width, row * width);
                }
            }
            samples.truncate(width * height);
        }
        if samples.len() == width * height {
            Ok(samples)
        } else {
            Err(DecodeError::damaged(
                "the decoded planes differ in size from the frame header",
            ))
        }
    };
    let mut raster = Raster {
        colour_model: ColourModel::YCbCr,
        planes: vec![
            Plane::new(size, remove_padding(size, planes.y_stride, planes.y)?),
            Plane::chroma(size, remove_padding(halved, planes.u_stride, planes.u)?),
            Plane::chroma(size, remove_padding(halved, planes.v_stride, planes.v)?),
        ],
    };
    if let [luma, chroma @ ..] = &mut raster.planes[..] {
        range::expand_luma(&mut luma.samples);
        for plane in chroma {
            range::expand_chroma(&mut plane.samples);
        }
    }
    Ok(raster)
}
