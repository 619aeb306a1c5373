//! GIF's codes (89a, appendix F), as far as they show whether anything is said by them: to begin anew costs a decoder as much as
//! hundreds of pixels.

/// Bits of the samples, of which the first codes have one more.
pub(crate) const FIRST_BITS: std::ops::RangeInclusive<u8> = 1..=8;

/// No encoder begins anew before it has said something, but at the start.
const MOST_IDLE: u32 = 1024;
const MOST_BITS: u32 = 12;

/// Whether these sub-blocks begin anew again and again without saying anything.
pub(crate) fn is_idle(first_bits: u8, mut blocks: &[u8]) -> bool {
    let clear = 1_u32 << first_bits;
    let (mut width, mut next) = (u32::from(first_bits) + 1, clear + 2);
    let (mut held, mut bits) = (0_u32, 0);
    // It begins anew at the start, whether it says so or not.
    let (mut is_anew, mut idle) = (true, 0);
    while let Some((&length, rest)) = blocks.split_first() {
        let Some((block, rest)) = rest.split_at_checked(length.into()) else {
            return false;
        };
        blocks = rest;
        for &byte in block {
            held |= u32::from(byte) << bits;
            bits += 8;
            while bits >= width {
                let code = held & ((1 << width) - 1);
                held >>= width;
                bits -= width;
                if code == clear {
                    idle += u32::from(is_anew);
                    if idle > MOST_IDLE {
                        return true;
                    }
                    (width, next, is_anew) = (u32::from(first_bits) + 1, clear + 2, true);
                    continue;
                }
                if code == clear + 1 {
                    return false;
                }
                // The first code after a beginning makes no new one.
                if !is_anew && next < 1 << MOST_BITS {
                    next += 1;
                    if next == 1 << width && width < MOST_BITS {
                        width += 1;
                    }
                }
                is_anew = false;
            }
        }
    }
    false
}
