//! The common case, several times as fast as the general one: JPEGs in grey or in Y, Cb and Cr, straight to the smallest
//! scale that is large enough, in the planes that they are stored in.

use jpeg_scale::{Damage, Decoder, Limits, Planes, Scale};

use crate::{
    form::DecodeError,
    jpeg::{Coding, Frame, Layout},
    raster::{Colour, Plane, Raster},
};

/// Our own weight has spoken already.
const NO_LIMITS: Limits = Limits {
    pixels: u64::MAX,
    bytes: u64::MAX,
};

/// The decoder with the planes of the picture before, whose memory the next one takes.
#[derive(Debug, Default)]
pub(crate) struct Scaled {
    decoder: Decoder,
    planes: Planes,
}

impl Scaled {
    /// Takes the memory of a raster that is done with. A large one's is given back to the system.
    pub(crate) fn reuse(&mut self, raster: Raster) {
        /// A picture at half of 20 megapixels fits, with its tints.
        const LARGEST: usize = 8 << 20;
        let kept: usize = raster.planes.iter().map(|plane| plane.samples.capacity()).sum();
        if kept <= LARGEST {
            let planes = raster.planes.into_iter().map(|plane| jpeg_scale::Plane {
                data: plane.samples,
                ..jpeg_scale::Plane::default()
            });
            self.planes.planes = planes.collect();
        }
    }

    /// The planes of a small part of a picture, in full size, of which nothing is missing.
    pub(crate) fn decode_whole(
        &mut self,
        file: &[u8],
        limits: &Limits,
        planes: &mut Planes,
    ) -> Result<(), DecodeError> {
        match self.decoder.decode_into(file, Scale::Full, limits, planes) {
            Ok(None | Some(Damage::Surplus)) => Ok(()),
            Ok(Some(damage)) => Err(DecodeError::damaged(damage)),
            Err(error) => Err(DecodeError::damaged(error)),
        }
    }
}

/// The smallest scale at which the longer edge has enough pixels for a thumbnail of this edge: nearly twice as many, for
/// what the decoder leaves out within blocks is seen in a thumbnail that is hardly smaller.
pub(super) fn scale(frame: &Frame, edge: u16) -> Scale {
    if frame.is_thin() {
        return Scale::Full;
    }
    Scale::smallest_for(frame.width.max(frame.height).into(), usize::from(edge) * 7 / 4)
}

/// The raster, if nothing of it is missing.
pub(super) fn decode(layout: &Layout<'_>, edge: u16, scaled: &mut Scaled) -> Result<Raster, DecodeError> {
    let damaged = |what: &dyn ToString| DecodeError::Damaged(what.to_string());
    let frame = layout
        .frame
        .as_ref()
        .ok_or_else(|| damaged(&"there is no frame header"))?;
    let scale = scale(frame, edge);
    // Taken, so that nothing of a picture that can't be decoded stays.
    let mut planes = std::mem::take(&mut scaled.planes);
    let decoded = scaled
        .decoder
        .decode_into(layout.file, scale, &NO_LIMITS, &mut planes);
    let whole = |planes| {
        raster(frame, scale, planes).ok_or_else(|| damaged(&"the decoder's planes have another size"))
    };
    match decoded {
        Ok(None) => whole(planes),
        // More data than a scan's blocks need: nothing is missing. What a sequential file has of it is left to the
        // general decoder.
        Ok(Some(Damage::Surplus)) if frame.coding == Coding::Progressive => whole(planes),
        Ok(Some(damage)) => Err(damaged(&damage)),
        Err(error) => Err(damaged(&error)),
    }
}

fn raster(frame: &Frame, scale: Scale, planes: Planes) -> Option<Raster> {
    if planes.planes.len() != frame.components.len() {
        return None;
    }
    let part = u32::try_from(scale.eighths())
        .ok()
        .map(|eighths| f64::from(eighths) / 8.0)?;
    let mut found = Vec::with_capacity(planes.planes.len());
    for (component, plane) in planes.planes.into_iter().enumerate() {
        let (across, down) = frame.share(component);
        let (width, height) = (
            u32::try_from(plane.width).ok()?,
            u32::try_from(plane.height).ok()?,
        );
        let covered = |full: u16, share: f64, there: u32| {
            let exact = f64::from(full) * share * part;
            exact.max(1.0).min(f64::from(there))
        };
        found.push(Plane {
            width,
            height,
            covered: (
                covered(frame.width, across, width),
                covered(frame.height, down, height),
            ),
            samples: without_gaps(plane),
        });
    }
    let colour = if found.len() == 1 {
        Colour::Grey
    } else {
        Colour::Ycc
    };
    Some(Raster {
        colour,
        planes: found,
    })
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
