//! The common case, several times as fast as the general one: baseline JPEGs, grey or in Y, Cb and Cr, straight to the
//! smallest scale that is large enough, in the planes that they are stored in.

use jpeg_scale::{Decoder, Limits, Scale};

use crate::{
    jpeg::Layout,
    raster::{Colour, Plane, Raster},
};

/// The raster, unless the file is of another kind or anything is wrong with it: then the general decoder has the word.
pub(super) fn decode(layout: &Layout<'_>, edge: u16, decoder: &mut Decoder) -> Option<Raster> {
    let frame = layout.frame.as_ref()?;
    let scale = Scale::reaching(frame.width.max(frame.height).into(), edge.into());
    let found = decoder.decode(layout.file, scale, &Limits::default()).ok()?;
    if found.damage.is_some() || found.planes.planes.len() != frame.components.len() {
        return None;
    }
    let part = u32::try_from(scale.eighths())
        .ok()
        .map(|eighths| f64::from(eighths) / 8.0)?;
    let mut planes = Vec::with_capacity(found.planes.planes.len());
    for (component, plane) in found.planes.planes.into_iter().enumerate() {
        let (across, down) = frame.share(component);
        let (width, height) = (
            u32::try_from(plane.width).ok()?,
            u32::try_from(plane.height).ok()?,
        );
        let covered = |full: u16, share: f64, there: u32| {
            let exact = f64::from(full) * share * part;
            exact.max(1.0).min(f64::from(there))
        };
        planes.push(Plane {
            width,
            height,
            covered: (
                covered(frame.width, across, width),
                covered(frame.height, down, height),
            ),
            samples: without_gaps(plane),
        });
    }
    let colour = if planes.len() == 1 {
        Colour::Grey
    } else {
        Colour::Ycc
    };
    Some(Raster { colour, planes })
}

/// The samples of a plane without what lies beyond the ends of its rows.
fn without_gaps(plane: jpeg_scale::Plane) -> Vec<u8> {
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
