use bytes::Bytes;
use jpeg_scale::{ResizeError, Resizer};
use rapidphoto_application::ports::EncodedThumbnail;
use rapidphoto_domain::values::ThumbnailEdge;

use crate::{
    colour::ColourConverter,
    orientation::Orientation,
    raster::{ColourModel, Plane, Raster, THIN_IMAGE_EDGE},
    resize::{fit, resize},
};

const QUALITY: u8 = 80;

/// Error of making thumbnails from a decoded image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThumbnailError {
    #[error(transparent)]
    Resize(#[from] ResizeError),
    #[error("the thumbnail can't be encoded")]
    Encode(#[from] jpeg_scale::EncodeError),
}

/// Makes thumbnails, with buffers and conversions that are reused from photo to photo.
#[derive(Debug, Default)]
pub(crate) struct Thumbnailer {
    resizer: Resizer,
    colours: ColourConverter,
}

impl Thumbnailer {
    /// Makes every thumbnail of an image with the stored size `full`: the largest from the raster, each smaller one
    /// from the previous one. The orientation is applied and the colours are converted to sRGB once, at the largest
    /// size.
    pub(crate) fn make(
        &mut self,
        raster: &Raster,
        full: (u32, u32),
        orientation: Orientation,
        profile: Option<&[u8]>,
    ) -> Result<Vec<EncodedThumbnail>, ThumbnailError> {
        let mut edges = ThumbnailEdge::ALL;
        edges.sort_by_key(|edge| std::cmp::Reverse(edge.pixels()));
        let mut thumbnails = Vec::with_capacity(edges.len());
        let mut larger: Option<Raster> = None;
        for edge in edges {
            let size = fit(orientation.displayed_size(full), edge.pixels());
            let mut image = match &larger {
                Some(larger) => resize_thumbnail(&mut self.resizer, larger, size)?,
                None => self.largest(raster, size, orientation, profile)?,
            };
            thumbnails.push(EncodedThumbnail {
                edge,
                width: size.0,
                height: size.1,
                jpeg: encode(size, &mut image)?,
            });
            larger = Some(image);
        }
        thumbnails.reverse();
        Ok(thumbnails)
    }

    /// The image at the size of the largest thumbnail, upright, greyscale or YCbCr with chroma of half the size.
    fn largest(
        &mut self,
        raster: &Raster,
        size: (u32, u32),
        orientation: Orientation,
        profile: Option<&[u8]>,
    ) -> Result<Raster, ResizeError> {
        let resized = resize_raster(&mut self.resizer, raster, orientation.displayed_size(size))?;
        let mut image = self.colours.convert_to_srgb(resized, profile);
        let planes = image.planes.into_iter();
        image.planes = planes.map(|plane| orientation.apply(plane)).collect();
        Ok(image)
    }
}

/// Resizes a thumbnail to a smaller one. Its chroma planes are small already, so they are halved by averages: a sharp
/// filter would ring across half of a small image.
fn resize_thumbnail(
    resizer: &mut Resizer,
    thumbnail: &Raster,
    size: (u32, u32),
) -> Result<Raster, ResizeError> {
    map_planes(thumbnail, |plane, luma| {
        let Some(luma) = luma else {
            return resize(resizer, plane, size);
        };
        resize_and_halve(resizer, plane, luma, size)
    })
}

/// Resizes all planes of a decoded image to one size, and chroma planes to half of it.
fn resize_raster(resizer: &mut Resizer, raster: &Raster, size: (u32, u32)) -> Result<Raster, ResizeError> {
    let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
    map_planes(raster, |plane, luma| {
        let Some(luma) = luma else {
            return resize(resizer, plane, size);
        };
        if plane.is_chroma_of(size) || size.0.min(size.1) < THIN_IMAGE_EDGE {
            resize_and_halve(resizer, plane, luma, size)
        } else {
            resize(resizer, plane, halved)
        }
    })
}

/// Resizes a chroma plane to the image's size and halves it by averages; a plane that has half the size already is
/// copied. In a thin image the chroma is upsampled first, because its last sample may belong to one row of pixels only
/// and yet be half of all chroma.
fn resize_and_halve(
    resizer: &mut Resizer,
    chroma: &Plane,
    luma: &Plane,
    size: (u32, u32),
) -> Result<Plane, ResizeError> {
    if chroma.is_chroma_of(size) {
        return Ok(chroma.clone());
    }
    let full = if luma.width.min(luma.height) < THIN_IMAGE_EDGE {
        resize(resizer, &chroma.upsampled_where_thin(luma), size)
    } else {
        resize(resizer, chroma, size)
    };
    Ok(full?.halved())
}

/// Applies `make` to each plane. For a chroma plane it also gets the luma plane.
fn map_planes(
    raster: &Raster,
    mut make: impl FnMut(&Plane, Option<&Plane>) -> Result<Plane, ResizeError>,
) -> Result<Raster, ResizeError> {
    let luma = raster
        .planes
        .first()
        .filter(|_| raster.colour_model == ColourModel::YCbCr);
    let planes = raster
        .planes
        .iter()
        .zip(0..)
        .map(|(plane, component)| make(plane, luma.filter(|_| component > 0)));
    Ok(Raster {
        colour_model: raster.colour_model,
        planes: planes.collect::<Result<_, _>>()?,
    })
}

fn encode((width, height): (u32, u32), image: &mut Raster) -> Result<Bytes, ThumbnailError> {
    // The encoder has a plane type of its own: the samples are moved there and back, without a copy.
    let planes = image.planes.iter_mut().map(|plane| jpeg_scale::Plane {
        width: plane.width as usize,
        height: plane.height as usize,
        stride: plane.width as usize,
        data: std::mem::take(&mut plane.samples),
    });
    let planes = jpeg_scale::Planes {
        width: width as usize,
        height: height as usize,
        planes: planes.collect(),
    };
    let file = jpeg_scale::Encoder::new(QUALITY).encode(&planes)?;
    for (plane, encoded) in image.planes.iter_mut().zip(planes.planes) {
        plane.samples = encoded.data;
    }
    Ok(Bytes::from(file))
}
