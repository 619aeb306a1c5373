//! Scan of GIF's LZW codes (version 89a, appendix F) for excessive clear codes: each costs a decoder as much as
//! hundreds of pixels.

/// Valid minimum code sizes, in bits.
pub(crate) const MIN_CODE_SIZES: std::ops::RangeInclusive<u8> = 1..=8;

/// Encoders never write a clear code directly after another one, except at the start.
const MAX_REDUNDANT_CLEARS: u32 = 1024;
const MAX_CODE_BITS: u32 = 12;

/// Returns true if these sub-blocks contain more than [`MAX_REDUNDANT_CLEARS`] clear codes that directly follow
/// another.
pub(crate) fn has_excessive_clears(min_code_size: u8, mut sub_blocks: &[u8]) -> bool {
    let clear = 1_u32 << min_code_size;
    let (mut width, mut next) = (u32::from(min_code_size) + 1, clear + 2);
    let (mut buffer, mut bits) = (0_u32, 0);
    // The code table is empty at the start, with or without a clear code.
    let (mut is_cleared, mut redundant_clears) = (true, 0);
    while let Some((&length, rest)) = sub_blocks.split_first() {
        let Some((block, rest)) = rest.split_at_checked(length.into()) else {
            return false;
        };
        sub_blocks = rest;
        for &byte in block {
            buffer |= u32::from(byte) << bits;
            bits += 8;
            while bits >= width {
                let code = buffer & ((1 << width) - 1);
                buffer >>= width;
                bits -= width;
                if code == clear {
                    redundant_clears += u32::from(is_cleared);
                    if redundant_clears > MAX_REDUNDANT_CLEARS {
                        return true;
                    }
                    (width, next, is_cleared) = (u32::from(min_code_size) + 1, clear + 2, true);
                    continue;
                }
                if code == clear + 1 {
                    return false;
                }
                // The first code after a clear code adds no table entry.
                if !is_cleared && next < 1 << MAX_CODE_BITS {
                    next += 1;
                    if next == 1 << width && width < MAX_CODE_BITS {
                        width += 1;
                    }
                }
                is_cleared = false;
            }
        }
    }
    false
}
