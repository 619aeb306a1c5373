//! WebP (RFC 9649): its chunks here, its pixels by libwebp.
//!
//! The decoder is given a still picture that is put together anew from the chunks that hold pixels. Metadata and all but
//! the first frame of an animation never reach it.

mod chunk;
mod frame;
mod groups;
mod range;

use std::borrow::Cow;

use webpx::{Decoder, DecoderConfig, Limits, YuvPlanes};

use crate::{
    canvas::{Canvas, Pixels},
    form::{Damage, DecodeError, Form, LARGEST_PROFILE, REST, guarded},
    inspect::Scratch,
    raster::{Colour, Plane, Raster},
};
use chunk::{Chunk, number};
use frame::{Coding, Frame};

/// A file's chunks as far as they can be read.
#[derive(Debug)]
pub(crate) struct Webp<'a> {
    canvas: Option<(u32, u32)>,
    frame: Option<Frame<'a>>,
    exif: Option<&'a [u8]>,
    profile: Option<&'a [u8]>,
    damage: Option<Damage>,
}

impl<'a> Webp<'a> {
    /// Reads a file that begins as a WebP does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut file = Self {
            canvas: None,
            frame: None,
            exif: None,
            profile: None,
            damage: None,
        };
        file.damage = file.walk(bytes).err().or_else(|| file.judge());
        file
    }

    fn walk(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let length = bytes.get(4..8).and_then(number).ok_or(Damage::Truncated)?;
        let end = (length as usize).saturating_add(8);
        // Whatever follows belongs to nobody.
        let mut rest = bytes.get(12..end.min(bytes.len())).ok_or(Damage::Truncated)?;
        let mut alpha = None;
        let mut is_cut = end > bytes.len();
        while !rest.is_empty() {
            let Ok(Chunk { kind, content, after }) = Chunk::first(rest) else {
                // What is known of the file is worth knowing even so.
                is_cut = true;
                break;
            };
            rest = after;
            match kind {
                b"VP8X" if self.canvas.is_none() => {
                    let edge = |at: usize| content.get(at..at + 3).and_then(number).map(|less| less + 1);
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
        if is_cut { Err(Damage::Truncated) } else { Ok(()) }
    }

    /// What is wrong once all chunks are known.
    fn judge(&self) -> Option<Damage> {
        let Some(frame) = &self.frame else {
            return Some(Damage::Truncated);
        };
        if frame.size.0 == 0 || frame.size.1 == 0 {
            return Some(Damage::NoPixels);
        }
        let (width, height) = self.canvas.unwrap_or(frame.size);
        let fits = if frame.animated {
            let end = |at: u32, edge: u32| at.saturating_add(edge);
            end(frame.at.0, frame.size.0) <= width && end(frame.at.1, frame.size.1) <= height
        } else {
            frame.size == (width, height)
        };
        (!fits).then_some(Damage::Malformed)
    }

    fn picture(&self) -> Result<Raster, DecodeError> {
        let frame = self
            .frame
            .as_ref()
            .ok_or_else(|| DecodeError::damaged("there is no picture"))?;
        let size = self.canvas.unwrap_or(frame.size);
        let file = frame.file();
        let decoder = Decoder::new(&file)
            .map_err(|error| DecodeError::damaged(error.error()))?
            // Our own weight has spoken already.
            .config(DecoderConfig::new().limits(Limits::none()));
        if (decoder.info().width, decoder.info().height) != frame.size {
            return Err(DecodeError::damaged("the decoder sees another size"));
        }
        let covers = size == frame.size;
        if covers && frame.coding == Coding::Lossy && frame.alpha.is_none() {
            let planes = decoder
                .decode_yuv()
                .map_err(|error| DecodeError::damaged(error.error()))?;
            return raster(frame.size, planes);
        }
        let pixels = if covers && frame.coding == Coding::Lossless && !frame.transparent {
            Pixels::Rgb
        } else {
            Pixels::Rgba
        };
        let stride = frame.size.0 as usize * pixels.samples();
        let mut picture = vec![0; stride * frame.size.1 as usize];
        let bytes = u32::try_from(stride).map_err(DecodeError::damaged)?;
        if pixels == Pixels::Rgb {
            decoder.decode_rgb_into(&mut picture, bytes)
        } else {
            decoder.decode_rgba_into(&mut picture, bytes)
        }
        .map_err(|error| DecodeError::damaged(error.error()))?;
        let mut canvas = Canvas::new(size, pixels);
        canvas.push_within(frame.at, picture.chunks_exact(stride.max(1)), |row, places| {
            for (place, sample) in places.iter_mut().zip(row) {
                *place = *sample;
            }
        });
        canvas.finish()
    }
}

impl Form for Webp<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        self.canvas.or_else(|| Some(self.frame.as_ref()?.size))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.exif
    }

    fn obstacle(&self) -> Option<&'static str> {
        None
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn weight(&self, _edge: u16) -> u64 {
        let (Some(frame), Some(canvas)) = (&self.frame, self.size()) else {
            return REST;
        };
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        let each = match (frame.coding, frame.alpha) {
            // As libwebp has them, and as we do.
            (Coding::Lossy, None) if canvas == frame.size => 4,
            // Its planes and alpha, and the pixels.
            (Coding::Lossy, _) if frame.lossless_stream().is_none() => 7,
            // Its pixels and ours, and what is said of tiles of 16 of them three times.
            _ => 11,
        };
        let tables = frame
            .lossless_stream()
            .map_or(0, |stream| groups::weight(frame.size, stream));
        (pixels(frame.size) * each)
            .saturating_add(tables)
            .saturating_add(Pixels::Rgba.weight(canvas))
            .saturating_add(frame.length() as u64)
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

/// VP8's planes, which have the form of a JPEG's and a smaller range.
fn raster(size: (u32, u32), planes: YuvPlanes) -> Result<Raster, DecodeError> {
    let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
    let samples_of = |size: (u32, u32), stride: usize, mut samples: Vec<u8>| {
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
            Err(DecodeError::damaged("the decoder's planes have another size"))
        }
    };
    let mut picture = Raster {
        colour: Colour::Ycc,
        planes: vec![
            Plane::whole(size, samples_of(size, planes.y_stride, planes.y)?),
            Plane::tints(size, samples_of(halved, planes.u_stride, planes.u)?),
            Plane::tints(size, samples_of(halved, planes.v_stride, planes.v)?),
        ],
    };
    if let [light, tints @ ..] = &mut picture.planes[..] {
        range::widen_light(&mut light.samples);
        for tint in tints {
            range::widen_tint(&mut tint.samples);
        }
    }
    Ok(picture)
}
