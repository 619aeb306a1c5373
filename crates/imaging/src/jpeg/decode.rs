//! Decoding of a JPEG file to a raster that is just large enough.

use jpeg_decoder::{Decoder, Error, PixelFormat};
use jpeg_scale::Header;

use super::{
    decoder_choice::{DecoderChoice, colour_transform},
    frame::{Coding, Frame},
    layout::Layout,
    scaled,
    section_reader::SectionReader,
};
use crate::{
    decoder::{FIXED_OVERHEAD_BYTES, catch_panics},
    error::DecodeError,
    raster::{ColourModel, Plane, Raster, deinterleave},
    scratch::Scratch,
};

/// Decodes a file to a raster whose longer edge has at least `edge` pixels, or its full length if that is less.
pub(super) fn decode(
    layout: &Layout<'_>,
    choice: DecoderChoice,
    edge: u16,
    scratch: &mut Scratch,
) -> Result<Raster, DecodeError> {
    let threads = &scratch.decoding;
    let general = || threads.install(|| catch_panics(|| decode_general(layout, edge)));
    match choice {
        DecoderChoice::Scaled(_) => scaled::decode(layout, edge, &mut scratch.scaled_jpeg),
        DecoderChoice::ScaledThenGeneral(_) => {
            scaled::decode(layout, edge, &mut scratch.scaled_jpeg).or_else(|_| general())
        }
        DecoderChoice::General => general(),
    }
}

fn decode_general(layout: &Layout<'_>, edge: u16) -> Result<Raster, DecodeError> {
    let frame = layout
        .frame
        .as_ref()
        .ok_or_else(|| DecodeError::damaged("the frame header is missing"))?;
    let mut decoder = Decoder::new(SectionReader::new(layout));
    if let Some(transform) = colour_transform(layout) {
        decoder.set_color_transform(transform);
    }
    let edge = min_edge(frame, edge);
    // `scale` is satisfied as soon as one edge is long enough; only the longer edge counts here.
    let (width, height) = if frame.width >= frame.height {
        decoder.scale(edge, u16::MAX)
    } else {
        decoder.scale(u16::MAX, edge)
    }
    .map_err(decode_error)?;
    let pixels = decoder.decode().map_err(decode_error)?;
    let colour_model = match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::L8) => ColourModel::Grey,
        Some(PixelFormat::RGB24) => ColourModel::Rgb,
        Some(PixelFormat::CMYK32) => ColourModel::Cmyk,
        Some(PixelFormat::L16) | None => {
            return Err(DecodeError::Unsupported("image/jpeg with 16 bits per sample"));
        }
    };
    if pixels.len() != usize::from(width) * usize::from(height) * colour_model.components() {
        return Err(DecodeError::damaged(
            "fewer pixels than the frame header declares",
        ));
    }
    let eighths = scale_eighths(frame.width.max(frame.height), width.max(height));
    let covered = |full: u16, decoded: u16| {
        let exact = f64::from(full) * f64::from(eighths) / 8.0;
        exact.max(1.0).min(f64::from(decoded))
    };
    let plane = |samples: Vec<u8>| Plane {
        width: width.into(),
        height: height.into(),
        covered: (covered(frame.width, width), covered(frame.height, height)),
        samples,
    };
    Ok(Raster {
        colour_model,
        planes: deinterleave(colour_model, pixels)
            .into_iter()
            .map(plane)
            .collect(),
    })
}

/// Minimum length of the longer edge after decoding.
fn min_edge(frame: &Frame, edge: u16) -> u16 {
    if frame.is_thin() { u16::MAX } else { edge }
}

/// Scale in eighths at which the general decoder reduces an edge of `full` pixels to `scaled` pixels.
fn scale_eighths(full: u16, scaled: u16) -> u8 {
    [1, 2, 4]
        .into_iter()
        .find(|&scale| (u32::from(full) * u32::from(scale)).div_ceil(8) == u32::from(scaled))
        .unwrap_or(8)
}

fn decode_error(error: Error) -> DecodeError {
    match error {
        Error::Unsupported(feature) => {
            tracing::debug!(?feature, "a photo uses a JPEG feature that is not supported");
            DecodeError::Unsupported("image/jpeg of an unsupported kind")
        }
        other => DecodeError::damaged(other),
    }
}

/// Upper bound of the memory in bytes that decoding and making thumbnails take, by the frame header.
pub(super) fn max_memory_bytes(layout: &Layout<'_>, choice: DecoderChoice, edge: u16) -> u64 {
    let Some(frame) = &layout.frame else {
        return FIXED_OVERHEAD_BYTES;
    };
    let scaled_bytes = |header: Header| header.bytes(scaled::scale(frame, edge));
    let bytes = match choice {
        DecoderChoice::Scaled(header) => header.map_or(0, scaled_bytes),
        DecoderChoice::ScaledThenGeneral(header) => scaled_bytes(header).max(general_bytes(frame, edge)),
        DecoderChoice::General => general_bytes(frame, edge),
    };
    bytes + FIXED_OVERHEAD_BYTES
}

fn general_bytes(frame: &Frame, edge: u16) -> u64 {
    let longer = u32::from(frame.width.max(frame.height));
    let scale = [1, 2, 4]
        .into_iter()
        .find(|&scale| (longer * scale).div_ceil(8) >= u32::from(min_edge(frame, edge)))
        .unwrap_or(8);
    let reduced = |count: u64| count * u64::from(scale) * u64::from(scale) / 64;
    let coefficients = match frame.coding {
        // The coefficients of a component are copied before they are transformed.
        Coding::Progressive => (frame.padded_samples() + frame.max_component_samples()) * 2,
        Coding::Sequential | Coding::Lossless | Coding::Hierarchical => 0,
    };
    let decoded = reduced(frame.padded_samples());
    // Interleaved by the decoder, then as planes.
    let pixels = reduced(frame.pixels()) * frame.components.len() as u64 * 2;
    coefficients + decoded + pixels
}
