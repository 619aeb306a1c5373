//! Fast path for greyscale and YCbCr files, several times as fast as the general decoder: it decodes at the smallest
//! scale that is large enough, into planes of the stored sampling.

use jpeg_scale::{Damage, Planes, Scale};

use super::{
    frame::{Coding, Frame},
    layout::Layout,
};
use crate::{
    error::DecodeError,
    raster::{ColourModel, Plane, Raster},
    scaled_jpeg::ScaledJpegDecoder,
};

/// Smallest scale at which the longer edge has 7/4 of this many pixels: a scaled decoder drops detail within blocks,
/// which would be visible in a thumbnail of nearly the decoded size.
pub(super) fn scale(frame: &Frame, edge: u16) -> Scale {
    if frame.is_thin() {
        return Scale::Full;
    }
    Scale::smallest_for(frame.width.max(frame.height).into(), usize::from(edge) * 7 / 4)
}

/// Decodes the image. Missing data is an error.
pub(super) fn decode(
    layout: &Layout<'_>,
    edge: u16,
    decoder: &mut ScaledJpegDecoder,
) -> Result<Raster, DecodeError> {
    let frame = layout
        .frame
        .as_ref()
        .ok_or_else(|| DecodeError::damaged("the frame header is missing"))?;
    let scale = scale(frame, edge);
    let (planes, damage) = decoder
        .decode_scaled(layout.file, scale)
        .map_err(DecodeError::damaged)?;
    match damage {
        None => {}
        // The scans have more data than their blocks need, so no sample is missing. Sequential files with surplus data
        // are left to the general decoder.
        Some(Damage::Surplus) if frame.coding == Coding::Progressive => {}
        Some(damage) => return Err(DecodeError::damaged(damage)),
    }
    raster(frame, scale, planes)
        .ok_or_else(|| DecodeError::damaged("the decoded planes differ in size from the frame header"))
}

fn raster(frame: &Frame, scale: Scale, planes: Planes) -> Option<Raster> {
    if planes.planes.len() != frame.components.len() {
        return None;
    }
    let factor = u32::try_from(scale.eighths())
        .ok()
        .map(|eighths| f64::from(eighths) / 8.0)?;
    let mut packed = Vec::with_capacity(planes.planes.len());
    for (component, plane) in planes.planes.into_iter().enumerate() {
        let (horizontal, vertical) = frame.sampling_ratio(component);
        let (width, height) = (
            u32::try_from(plane.width).ok()?,
            u32::try_from(plane.height).ok()?,
        );
        let covered = |full: u16, ratio: f64, decoded: u32| {
            let exact = f64::from(full) * ratio * factor;
            exact.max(1.0).min(f64::from(decoded))
        };
        packed.push(Plane {
            width,
            height,
            covered: (
                covered(frame.width, horizontal, width),
                covered(frame.height, vertical, height),
            ),
            samples: remove_padding(plane),
        });
    }
    let colour_model = if packed.len() == 1 {
        ColourModel::Grey
    } else {
        ColourModel::YCbCr
    };
    Some(Raster {
        colour_model,
        planes: packed,
    })
}

/// Samples of a plane without the padding at the ends of its rows.
fn remove_padding(plane: jpeg_scale::Plane) -> Vec<u8> {
    let jpeg_scale::Plane {
        width,
        height,
        stride,
        mut data,
    } = plane;
    if stride > width {
        for row in 1..height {
            data.copy_within(row * stride..row * stride + width, row * width);
        }
    }
    data.truncate(width * height);
    data
}
