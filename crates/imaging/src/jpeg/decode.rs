//! From a JPEG to a raster that is just large enough.

use jpeg_decoder::{ColorTransform, Decoder, Error, PixelFormat};

use super::{
    Coding, Layout,
    pieces::Pieces,
    scaled::{self, Scaled},
};
use crate::{
    form::{DecodeError, guarded},
    raster::{Colour, Plane, Raster, planes_of},
};

/// Decodes a JPEG to a raster whose longer edge has at least `edge` pixels, or to its full size if it is smaller.
///
/// The decoder shares its work out among threads where it may: it is called on the only thread of `threads`.
pub(super) fn decode(
    layout: &Layout<'_>,
    edge: u16,
    scaled: &mut Scaled,
    threads: &rayon::ThreadPool,
) -> Result<Raster, DecodeError> {
    let common = matches!(colours(layout), None | Some(ColorTransform::YCbCr));
    if common && let Some(raster) = scaled::decode(layout, edge, scaled)? {
        return Ok(raster);
    }
    threads.install(|| guarded(|| in_general(layout, edge)))
}

fn in_general(layout: &Layout<'_>, edge: u16) -> Result<Raster, DecodeError> {
    let frame = layout
        .frame
        .as_ref()
        .ok_or_else(|| DecodeError::Damaged("there is no frame header".to_owned()))?;
    let mut decoder = Decoder::new(Pieces::of(layout));
    if let Some(transform) = colours(layout) {
        decoder.set_color_transform(transform);
    }
    // The longer edge decides; the decoder is content when one of both is long enough.
    let (width, height) = if frame.width >= frame.height {
        decoder.scale(edge, u16::MAX)
    } else {
        decoder.scale(u16::MAX, edge)
    }
    .map_err(explain)?;
    let pixels = decoder.decode().map_err(explain)?;
    let colour = match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::L8) => Colour::Grey,
        Some(PixelFormat::RGB24) => Colour::Rgb,
        Some(PixelFormat::CMYK32) => Colour::Cmyk,
        Some(PixelFormat::L16) | None => {
            return Err(DecodeError::Unsupported("image/jpeg with 16 bits a sample"));
        }
    };
    if pixels.len() != usize::from(width) * usize::from(height) * colour.planes() {
        return Err(DecodeError::Damaged(
            "there are fewer pixels than announced".to_owned(),
        ));
    }
    let eighths = eighths(frame.width.max(frame.height), width.max(height));
    let covered = |full: u16, edge: u16| {
        let part = f64::from(full) * f64::from(eighths) / 8.0;
        part.max(1.0).min(f64::from(edge))
    };
    let plane = |samples: Vec<u8>| Plane {
        width: width.into(),
        height: height.into(),
        covered: (covered(frame.width, width), covered(frame.height, height)),
        samples,
    };
    Ok(Raster {
        colour,
        planes: planes_of(colour, pixels).into_iter().map(plane).collect(),
    })
}

/// The scale in eighths at which an edge of this many pixels becomes that many.
fn eighths(full: u16, scaled: u16) -> u8 {
    [1, 2, 4]
        .into_iter()
        .find(|&scale| (u32::from(full) * u32::from(scale)).div_ceil(8) == u32::from(scaled))
        .unwrap_or(8)
}

/// How components become colours, as libjpeg decides it: JFIF first, then Adobe's word, then the components' names.
fn colours(layout: &Layout<'_>) -> Option<ColorTransform> {
    let components = &layout.frame.as_ref()?.components;
    let names: Vec<u8> = components.iter().map(|component| component.id).collect();
    match (components.len(), layout.jfif, layout.adobe) {
        (3, false, Some(0)) => Some(ColorTransform::RGB),
        (3, false, None) if names == *b"RGB" => Some(ColorTransform::RGB),
        (3, _, _) => Some(ColorTransform::YCbCr),
        (4, _, Some(2)) => Some(ColorTransform::YCCK),
        (4, _, _) => Some(ColorTransform::CMYK),
        _ => None,
    }
}

fn explain(error: Error) -> DecodeError {
    match error {
        Error::Unsupported(feature) => {
            tracing::debug!(?feature, "a photo is of a kind that the decoder does not know");
            DecodeError::Unsupported("image/jpeg of an unusual kind")
        }
        other => DecodeError::Damaged(other.to_string()),
    }
}

/// Bytes that decoding and everything after it take at most, told by the header alone.
pub(super) fn weight(layout: &Layout<'_>, edge: u16) -> u64 {
    /// Resizing, thumbnails, tables, and the decoder's rows.
    const REST: u64 = 16 << 20;
    let Some(frame) = &layout.frame else {
        return REST;
    };
    let longer = u32::from(frame.width.max(frame.height));
    let scale = [1, 2, 4]
        .into_iter()
        .find(|&scale| (longer * scale).div_ceil(8) >= u32::from(edge))
        .unwrap_or(8);
    let reduced = |count: u64| count * u64::from(scale) * u64::from(scale) / 64;
    // Of what the other decoder does not read, it reads nothing.
    let header = jpeg_scale::read_header(layout.file).ok();
    let header = header.filter(|header| header.unsupported.is_none());
    let in_common = header.map_or(0, |header| header.bytes(scaled::scale(frame, edge)));
    let coefficients = match (frame.coding, header) {
        (Coding::Progressive, Some(_)) => return in_common + REST,
        (Coding::Progressive, None) => frame.samples() * 2,
        (Coding::Sequential | Coding::Lossless | Coding::Hierarchical, _) => 0,
    };
    let decoded = reduced(frame.samples());
    // Once as the decoder gives them, once as planes.
    let pixels = reduced(frame.pixels()) * frame.components.len() as u64 * 2;
    let in_general = coefficients + decoded + pixels;
    in_general.max(in_common) + REST
}
