use bytes::Bytes;
use jpeg_scale::{ResizeError, Resizer};
use rapidphoto_application::ports::MadeThumbnail;
use rapidphoto_domain::values::ThumbnailEdge;

use crate::{
    colour::Colours,
    orientation::Orientation,
    raster::{Colour, Plane, Raster, THIN},
    resize::{fit, resize},
};

const QUALITY: u8 = 80;

/// Why a decoded picture gave no thumbnails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThumbnailError {
    #[error(transparent)]
    Resize(#[from] ResizeError),
    #[error("the thumbnail can't be encoded")]
    Encode(#[from] jpeg_scale::EncodeError),
}

/// Makes thumbnails, and keeps what it needs for that from photo to photo.
#[derive(Debug, Default)]
pub(crate) struct Thumbnailer {
    resizer: Resizer,
    colours: Colours,
}

impl Thumbnailer {
    /// Makes every thumbnail of a picture that has this full size as stored: the largest from the raster, each smaller
    /// one from the one before. The picture is turned and its colours are brought to sRGB once, at the largest size.
    pub(crate) fn make(
        &mut self,
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
            let mut picture = match &larger {
                Some(larger) => smaller(&mut self.resizer, larger, shown)?,
                None => self.largest(raster, shown, orientation, profile)?,
            };
            thumbnails.push(MadeThumbnail {
                edge,
                width: shown.0,
                height: shown.1,
                jpeg: encode(shown, &mut picture)?,
            });
            larger = Some(picture);
        }
        thumbnails.reverse();
        Ok(thumbnails)
    }

    /// The picture at the size of the largest thumbnail, upright, in grey or in light and tints of half the size.
    fn largest(
        &mut self,
        raster: &Raster,
        shown: (u32, u32),
        orientation: Orientation,
        profile: Option<&[u8]>,
    ) -> Result<Raster, ResizeError> {
        let reduced = reduce(&mut self.resizer, raster, orientation.shown(shown))?;
        let mut picture = self.colours.bring_to_srgb(reduced, profile);
        let planes = picture.planes.into_iter();
        picture.planes = planes.map(|plane| orientation.apply(plane)).collect();
        Ok(picture)
    }
}

/// A picture at a much smaller size. Its tints are few by now: they are halved by averages, for a sharp filter would ring
/// over half of a small picture.
fn smaller(resizer: &mut Resizer, raster: &Raster, size: (u32, u32)) -> Result<Raster, ResizeError> {
    by_kind(raster, |plane, of| {
        let Some(light) = of else {
            return resize(resizer, plane, size);
        };
        halved_at(resizer, plane, light, size)
    })
}

/// Brings all planes of a picture to one size; tints to half of it, as they are stored.
fn reduce(resizer: &mut Resizer, raster: &Raster, size: (u32, u32)) -> Result<Raster, ResizeError> {
    let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
    by_kind(raster, |plane, of| {
        let Some(light) = of else {
            return resize(resizer, plane, size);
        };
        if plane.is_half_of(size) || size.0.min(size.1) < THIN {
            halved_at(resizer, plane, light, size)
        } else {
            resize(resizer, plane, halved)
        }
    })
}

/// The tints of a picture at a size, halved by averages; those that are of that size already are kept. Those of a thin
/// picture are told apart row by row before: the last may belong to one row only, and be half of all.
fn halved_at(
    resizer: &mut Resizer,
    tints: &Plane,
    light: &Plane,
    size: (u32, u32),
) -> Result<Plane, ResizeError> {
    if tints.is_half_of(size) {
        return Ok(tints.clone());
    }
    let full = if light.width.min(light.height) < THIN {
        resize(resizer, &tints.spread(light), size)
    } else {
        resize(resizer, tints, size)
    };
    Ok(full?.halved())
}

/// Makes another plane of each: `make` gets it, and if it holds tints, the light that they are of.
fn by_kind(
    raster: &Raster,
    mut make: impl FnMut(&Plane, Option<&Plane>) -> Result<Plane, ResizeError>,
) -> Result<Raster, ResizeError> {
    let light = raster.planes.first().filter(|_| raster.colour == Colour::Ycc);
    let planes = raster
        .planes
        .iter()
        .zip(0..)
        .map(|(plane, component)| make(plane, light.filter(|_| component > 0)));
    Ok(Raster {
        colour: raster.colour,
        planes: planes.collect::<Result<_, _>>()?,
    })
}

fn encode((width, height): (u32, u32), picture: &mut Raster) -> Result<Bytes, ThumbnailError> {
    // The encoder wants planes of its own: it gets these, and gives them back.
    let planes = picture.planes.iter_mut().map(|plane| jpeg_scale::Plane {
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
    for (plane, encoded) in picture.planes.iter_mut().zip(planes.planes) {
        plane.samples = encoded.data;
    }
    Ok(Bytes::from(file))
}
