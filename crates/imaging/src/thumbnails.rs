use bytes::Bytes;
use fast_image_resize::{ResizeError, Resizer};
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
use rapidphoto_application::ports::MadeThumbnail;
use rapidphoto_domain::values::ThumbnailEdge;

use crate::{
    colour::to_srgb,
    orientation::Orientation,
    raster::{Pixels, Raster},
    resize::{fit, resize},
};

const QUALITY: u8 = 80;

/// Why a decoded picture gave no thumbnails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThumbnailError {
    #[error(transparent)]
    Resize(#[from] ResizeError),
    #[error(transparent)]
    Encode(#[from] EncodingError),
    #[error("a thumbnail has an edge of more than 65 535 pixels")]
    Edge,
}

/// Makes every thumbnail of a picture that has this full size as stored: the largest from the raster, each smaller one
/// from the one before. The picture is turned and its colours are brought to sRGB once, at the largest size.
pub(crate) fn make(
    resizer: &mut Resizer,
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
        let pixels = if let Some(larger) = &larger {
            resize(resizer, larger, shown)?
        } else {
            let stored = orientation.shown(shown);
            let reduced = to_srgb(resize(resizer, raster, stored)?, profile);
            orientation.apply(stored, reduced)
        };
        thumbnails.push(MadeThumbnail {
            edge,
            width: shown.0,
            height: shown.1,
            jpeg: encode(shown, &pixels)?,
        });
        larger = Some(Raster {
            width: shown.0,
            height: shown.1,
            covered: (f64::from(shown.0), f64::from(shown.1)),
            pixels,
        });
    }
    thumbnails.reverse();
    Ok(thumbnails)
}

fn encode((width, height): (u32, u32), pixels: &Pixels) -> Result<Bytes, ThumbnailError> {
    let mut file = Vec::with_capacity(pixels.bytes().len() / 8 + 1024);
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    let kind = match pixels {
        Pixels::Grey(_) => ColorType::Luma,
        Pixels::Rgb(_) => ColorType::Rgb,
        Pixels::Cmyk(_) => ColorType::Cmyk,
    };
    let edge = |pixels: u32| u16::try_from(pixels).map_err(|_| ThumbnailError::Edge);
    encoder.encode(pixels.bytes(), edge(width)?, edge(height)?, kind)?;
    Ok(Bytes::from(file))
}
