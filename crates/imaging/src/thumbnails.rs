use bytes::Bytes;
use jpeg_encoder::{Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor, rgb_to_ycbcr};
use rapidphoto_application::ports::MadeThumbnail;
use rapidphoto_domain::values::ThumbnailEdge;
use rapidphoto_resample::{ResampleError, Resampler};

use crate::{
    colour::{to_rgb, to_srgb},
    orientation::Orientation,
    raster::{Colour, Plane, Raster},
    resize::{fit, resize},
};

const QUALITY: u8 = 80;

/// Why a decoded picture gave no thumbnails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThumbnailError {
    #[error(transparent)]
    Resample(#[from] ResampleError),
    #[error("the thumbnail can't be encoded")]
    Encode(#[from] EncodingError),
    #[error("the thumbnail's planes can't be encoded")]
    EncodePlanes(#[from] jpeg_scale::EncodeError),
    #[error("a thumbnail has an edge of more than 65 535 pixels")]
    Edge,
}

/// Makes every thumbnail of a picture that has this full size as stored: the largest from the raster, each smaller one
/// from the one before. The picture is turned and its colours are brought to sRGB once, at the largest size.
pub(crate) fn make(
    resampler: &mut Resampler,
    raster: &Raster,
    full: (u32, u32),
    orientation: Orientation,
    profile: Option<&[u8]>,
) -> Result<Vec<MadeThumbnail>, ThumbnailError> {
    let mut edges = ThumbnailEdge::ALL;
    edges.sort_by_key(|edge| std::cmp::Reverse(edge.pixels()));
    let mut thumbnails = Vec::with_capacity(edges.len());
    let mut larger: Option<Raster> = None;
    for edge in edges {
        let shown = fit(orientation.shown(full), edge.pixels());
        let picture = if let Some(larger) = &larger {
            smaller(resampler, larger, shown)?
        } else {
            let mut picture = at_its_largest(resampler, raster, orientation.shown(shown), profile)?;
            picture.planes = picture
                .planes
                .into_iter()
                .map(|plane| orientation.apply(plane))
                .collect();
            picture
        };
        thumbnails.push(MadeThumbnail {
            edge,
            width: shown.0,
            height: shown.1,
            jpeg: encode(shown, &picture)?,
        });
        larger = Some(picture);
    }
    thumbnails.reverse();
    Ok(thumbnails)
}

/// The picture at the size of the largest thumbnail, in sRGB.
fn at_its_largest(
    resampler: &mut Resampler,
    raster: &Raster,
    size: (u32, u32),
    profile: Option<&[u8]>,
) -> Result<Raster, ResampleError> {
    if profile.is_none() {
        return Ok(to_srgb(reduce(resampler, raster, size)?, None));
    }
    // A profile speaks of whole pixels.
    let planes = raster.planes.iter().map(|plane| resize(resampler, plane, size));
    let planes = planes.collect::<Result<_, _>>()?;
    Ok(to_srgb(
        to_rgb(Raster {
            colour: raster.colour,
            planes,
        }),
        profile,
    ))
}

/// A picture at a much smaller size. Its tints are few by now: they are halved by averages, for a sharp filter would ring
/// over half of a small picture.
fn smaller(resampler: &mut Resampler, raster: &Raster, size: (u32, u32)) -> Result<Raster, ResampleError> {
    let planes = raster.planes.iter().enumerate().map(|(component, plane)| {
        let resized = resize(resampler, plane, size)?;
        let is_tint = raster.colour == Colour::Ycc && component > 0;
        Ok(if is_tint { resized.halved() } else { resized })
    });
    Ok(Raster {
        colour: raster.colour,
        planes: planes.collect::<Result<_, ResampleError>>()?,
    })
}

/// Brings all planes of a picture to one size; tints to half of it, as they are stored.
fn reduce(resampler: &mut Resampler, raster: &Raster, size: (u32, u32)) -> Result<Raster, ResampleError> {
    let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
    let planes = raster.planes.iter().enumerate().map(|(component, plane)| {
        let is_tint = raster.colour == Colour::Ycc && component > 0;
        resize(resampler, plane, if is_tint { halved } else { size })
    });
    Ok(Raster {
        colour: raster.colour,
        planes: planes.collect::<Result<_, _>>()?,
    })
}

fn encode((width, height): (u32, u32), picture: &Raster) -> Result<Bytes, ThumbnailError> {
    if matches!(picture.colour, Colour::Grey | Colour::Ycc) {
        return encode_planes((width, height), picture);
    }
    let mut file = Vec::with_capacity(width as usize * height as usize / 4 + 1024);
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    let edge = |pixels: u32| u16::try_from(pixels).map_err(|_| ThumbnailError::Edge);
    encoder.encode_image(Picture {
        width: edge(width)?,
        height: edge(height)?,
        colour: picture.colour,
        planes: &picture.planes,
    })?;
    Ok(Bytes::from(file))
}

/// Encodes planes as they are.
fn encode_planes((width, height): (u32, u32), picture: &Raster) -> Result<Bytes, ThumbnailError> {
    let planes = picture.planes.iter().map(|plane| jpeg_scale::Plane {
        width: plane.width as usize,
        height: plane.height as usize,
        stride: plane.width as usize,
        data: plane.samples.clone(),
    });
    let planes = jpeg_scale::Planes {
        width: width as usize,
        height: height as usize,
        planes: planes.collect(),
    };
    let file = jpeg_scale::Encoder::new(QUALITY).encode(&planes)?;
    Ok(Bytes::from(file))
}

/// A picture for the encoder.
struct Picture<'a> {
    width: u16,
    height: u16,
    colour: Colour,
    planes: &'a [Plane],
}

impl<'a> ImageBuffer for Picture<'a> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        match self.colour {
            Colour::Grey => JpegColorType::Luma,
            Colour::Rgb | Colour::Ycc => JpegColorType::Ycbcr,
            Colour::Cmyk => JpegColorType::Cmyk,
        }
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let length = usize::from(self.width);
        let start = usize::from(y) * length;
        let row = |plane: &'a Plane| plane.samples.get(start..start + length);
        let rows: Vec<&[u8]> = self.planes.iter().filter_map(row).collect();
        match (self.colour, &rows[..]) {
            (Colour::Rgb, [red, green, blue]) => {
                let [luma, blueness, redness, _] = buffers;
                for ((&red, &green), &blue) in red.iter().zip(*green).zip(*blue) {
                    let (y, cb, cr) = rgb_to_ycbcr(red, green, blue);
                    luma.push(y);
                    blueness.push(cb);
                    redness.push(cr);
                }
            }
            (Colour::Grey | Colour::Rgb | Colour::Ycc | Colour::Cmyk, rows) => {
                for (buffer, row) in buffers.iter_mut().zip(rows) {
                    buffer.extend_from_slice(row);
                }
            }
        }
    }
}
