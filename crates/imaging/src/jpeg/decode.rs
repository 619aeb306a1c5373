//! From a JPEG to a raster that is just large enough.

use jpeg_decoder::{Decoder, Error, PixelFormat};
use jpeg_scale::Header;

use super::{
    Coding, Frame, Layout,
    pieces::Pieces,
    route::{Route, colours},
    scaled::{self, Scaled},
};
use crate::{
    form::{DecodeError, REST, guarded},
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
    let general = || threads.install(|| guarded(|| in_general(layout, edge)));
    match layout.route {
        Route::Scaled(_) => scaled::decode(layout, edge, scaled),
        Route::Either(_) => scaled::decode(layout, edge, scaled).or_else(|_| general()),
        Route::General => general(),
    }
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
    let edge = least(frame, edge);
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

/// How long the longer edge is to be at least.
fn least(frame: &Frame, edge: u16) -> u16 {
    if frame.is_thin() { u16::MAX } else { edge }
}

/// The scale in eighths at which an edge of this many pixels becomes that many.
fn eighths(full: u16, scaled: u16) -> u8 {
    [1, 2, 4]
        .into_iter()
        .find(|&scale| (u32::from(full) * u32::from(scale)).div_ceil(8) == u32::from(scaled))
        .unwrap_or(8)
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
    let Some(frame) = &layout.frame else {
        return REST;
    };
    let in_common = |header: Header| header.bytes(scaled::scale(frame, edge));
    let most = match layout.route {
        Route::Scaled(header) => header.map_or(0, in_common),
        Route::Either(header) => in_common(header).max(weight_in_general(frame, edge)),
        Route::General => weight_in_general(frame, edge),
    };
    most + REST
}

fn weight_in_general(frame: &Frame, edge: u16) -> u64 {
    let longer = u32::from(frame.width.max(frame.height));
    let scale = [1, 2, 4]
        .into_iter()
        .find(|&scale| (longer * scale).div_ceil(8) >= u32::from(least(frame, edge)))
        .unwrap_or(8);
    let reduced = |count: u64| count * u64::from(scale) * u64::from(scale) / 64;
    let coefficients = match frame.coding {
        // At the end those of a component are copied before they become samples.
        Coding::Progressive => (frame.samples() + frame.most_samples()) * 2,
        Coding::Sequential | Coding::Lossless | Coding::Hierarchical => 0,
    };
    let decoded = reduced(frame.samples());
    // Once as the decoder gives them, once as planes.
    let pixels = reduced(frame.pixels()) * frame.components.len() as u64 * 2;
    coefficients + decoded + pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A progressive file of one scan in which each block is one bit, with this before its scan and that behind it.
    fn progressive((width, height): (u16, u16), before: &[u8], behind: &[u8]) -> Vec<u8> {
        let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
        let frame = [
            &[0xFF, 0xC2, 0, 17, 8],
            &size[..],
            &[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0],
        ]
        .concat();
        let steps = [&[0xFF, 0xDB, 0, 67, 0], &[1; 64][..]].concat();
        let code = [&[0xFF, 0xC4, 0, 20, 0, 1], &[0; 16][..]].concat();
        let scan = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0];
        let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8) * 3;
        let data = vec![0; blocks.div_ceil(8)];
        let end = [0xFF, 0xD9];
        [
            &[0xFF, 0xD8],
            before,
            &steps,
            &frame,
            &code,
            &scan,
            &data,
            behind,
            &end,
        ]
        .concat()
    }

    const ADOBE: [u8; 16] = *b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";

    #[test]
    fn a_file_weighs_what_the_decoder_takes_that_reads_it() {
        // At the end a component's coefficients are there twice. The picture is decoded at half the size.
        const MUCH: u64 = 4000 * 4000 * 2 * 4 + 2000 * 2000 * 3 * 2 + REST;
        let weight_of = |before: &[u8], behind: &[u8]| {
            let file = progressive((4000, 4000), before, behind);
            let layout = Layout::read(&file);
            assert_eq!(layout.damage, None);
            let decoders = match layout.route {
                Route::Scaled(Some(_)) => "scaled",
                Route::Scaled(None) => "broken",
                Route::Either(_) => "either",
                Route::General => "general",
            };
            (decoders, weight(&layout, 1024) > MUCH)
        };
        assert_eq!(weight_of(&ADOBE, &[]), ("general", true));
        assert_eq!(weight_of(&[], &ADOBE), ("scaled", false));
        assert_eq!(weight_of(&[], &[]), ("scaled", false));
    }
}
