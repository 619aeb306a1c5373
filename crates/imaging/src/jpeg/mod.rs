//! JPEG (ITU-T T.81; JFIF 1.02): the segments are parsed here; the pixels are decoded by `jpeg-scale`, or by
//! `jpeg-decoder` for the colour models that `jpeg-scale` does not support.

mod coverage;
mod decode;
mod decoder_choice;
mod frame;
mod layout;
mod scaled;
mod section_reader;

use std::borrow::Cow;

use crate::{
    decoder::{ImageDecoder, MAX_ICC_PROFILE_BYTES},
    error::{Damage, DecodeError},
    raster::Raster,
    scratch::Scratch,
};
use decoder_choice::DecoderChoice;
use layout::Layout;

/// A parsed JPEG file.
#[derive(Debug)]
pub(crate) struct Jpeg<'a> {
    layout: Layout<'a>,
    choice: DecoderChoice,
    damage: Option<Damage>,
}

impl<'a> Jpeg<'a> {
    /// Parses a file that starts with SOI.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let layout = Layout::read(bytes);
        let choice = DecoderChoice::new(&layout);
        let damage = layout.damage.or_else(|| validate(&layout, choice));
        Self {
            layout,
            choice,
            damage,
        }
    }
}

/// Checks that need all segments.
fn validate(layout: &Layout<'_>, choice: DecoderChoice) -> Option<Damage> {
    let Some(frame) = &layout.frame else {
        return Some(Damage::Malformed);
    };
    if frame.width == 0 || frame.height == 0 {
        return Some(Damage::NoPixels);
    }
    // The shortest code of a block has one bit.
    if frame.unsupported_feature().is_none() && layout.entropy_coded_bytes.saturating_mul(8) < frame.blocks()
    {
        return Some(Damage::Truncated);
    }
    // The scaled decoder skips blocks without data; the general one takes as long for them as for full ones.
    if !matches!(choice, DecoderChoice::Scaled(_)) && layout.block_visits > frame.max_block_visits() {
        return Some(Damage::TooManyParts);
    }
    None
}

impl ImageDecoder for Jpeg<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        let frame = self.layout.frame.as_ref()?;
        Some((frame.width.into(), frame.height.into()))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.layout.exif
    }

    fn unsupported_feature(&self) -> Option<&'static str> {
        self.layout.frame.as_ref()?.unsupported_feature()
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn max_memory_bytes(&self, edge: u16) -> u64 {
        decode::max_memory_bytes(&self.layout, self.choice, edge)
    }

    fn icc_profile(&self) -> Option<Cow<'_, [u8]>> {
        let mut parts: Vec<_> = self.layout.icc_parts.iter().collect();
        let total: usize = parts.iter().map(|part| part.data.len()).sum();
        if parts.is_empty() || total > MAX_ICC_PROFILE_BYTES {
            return None;
        }
        parts.sort_by_key(|part| part.number);
        let is_complete = parts.iter().zip(1_usize..).all(|(part, number)| {
            usize::from(part.number) == number && usize::from(part.count) == parts.len()
        });
        is_complete.then(|| parts.iter().flat_map(|part| part.data).copied().collect())
    }

    fn decode(&self, edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        decode::decode(&self.layout, self.choice, edge, scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::FIXED_OVERHEAD_BYTES;

    /// Progressive file of one scan in which each block takes one bit, with these segments before and after the scan.
    fn progressive((width, height): (u16, u16), before: &[u8], after: &[u8]) -> Vec<u8> {
        let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
        let frame = [
            &[0xFF, 0xC2, 0, 17, 8],
            &size[..],
            &[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0],
        ]
        .concat();
        let quantization = [&[0xFF, 0xDB, 0, 67, 0], &[1; 64][..]].concat();
        let huffman = [&[0xFF, 0xC4, 0, 20, 0, 1], &[0; 16][..]].concat();
        let scan = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0];
        let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8) * 3;
        let data = vec![0; blocks.div_ceil(8)];
        let end = [0xFF, 0xD9];
        [
            &[0xFF, 0xD8],
            before,
            &quantization,
            &frame,
            &huffman,
            &scan,
            &data,
            after,
            &end,
        ]
        .concat()
    }

    const ADOBE: [u8; 16] = *b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";

    #[test]
    fn the_memory_bound_is_that_of_the_chosen_decoder() {
        // Coefficients of four components, one of them a copy, and the image at half its size.
        const GENERAL_BYTES: u64 = 4000 * 4000 * 2 * 4 + 2000 * 2000 * 3 * 2 + FIXED_OVERHEAD_BYTES;
        let choice_of = |before: &[u8], after: &[u8]| {
            let file = progressive((4000, 4000), before, after);
            let jpeg = Jpeg::read(&file);
            assert_eq!(jpeg.damage, None);
            let choice = match jpeg.choice {
                DecoderChoice::Scaled(Some(_)) => "scaled",
                DecoderChoice::Scaled(None) => "damaged",
                DecoderChoice::ScaledThenGeneral(_) => "scaled, then general",
                DecoderChoice::General => "general",
            };
            (choice, jpeg.max_memory_bytes(1024) > GENERAL_BYTES)
        };
        assert_eq!(choice_of(&ADOBE, &[]), ("general", true));
        assert_eq!(choice_of(&[], &ADOBE), ("scaled", false));
        assert_eq!(choice_of(&[], &[]), ("scaled", false));
    }
}
