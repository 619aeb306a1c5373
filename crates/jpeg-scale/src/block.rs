//! Entropy decoding of one block of a sequential scan, the decoder's hottest loop.

use crate::group::LANES;
use crate::huffman::{AcLookup, Code, DC_BITS, END_OF_BLOCK, Entry, LOOKUP_BITS, Tables, extend};
use crate::window::{BitReader, WindowBuffer};
use crate::zigzag::ZIGZAG_INDEX;

/// Coefficients of one block, at a stride of [`LANES`]. Only damaged data write to positions 64 and above.
pub(crate) type Coefficients = [i16; 127 * LANES + 1];

/// The block contains a code that is not in its table, or coefficients after position 63.
pub(crate) struct InvalidCode;

const END_POSITION: usize = END_OF_BLOCK * LANES;
const FULL_POSITION: usize = 64 * LANES;

/// Length of the zig-zag prefix of a block that is decoded at N/8. Below N = 4 the prefix ends at the last of
/// the N × N coefficients. From N = 4 on these are most of a block's coefficients, and a second loop for the
/// others costs more than it saves.
pub(crate) const fn coefficient_limit(n: usize) -> usize {
    if n < 4 {
        ZIGZAG_INDEX[(n - 1) * 9] as usize + 1
    } else {
        64
    }
}

/// Decodes a block. The coefficients before `LIMIT` (in zig-zag order) have to be zero on entry, and the
/// non-zero ones are written; those from `LIMIT` on may be written or not. The DC coefficient is the
/// difference from the previous block's.
///
/// The loop has one unpredictable branch: the end of the block. One look-up yields up to two coefficients and
/// the end of the block, the register is refilled at every second look-up, and neither signs nor missing
/// coefficients are branches.
#[inline(always)]
pub(crate) fn decode<const LIMIT: usize>(
    state: &mut BitReader,
    buffer: &WindowBuffer,
    tables: &Tables,
    coefficients: &mut Coefficients,
) -> Result<(), InvalidCode> {
    // A local copy stays in registers.
    let mut bits = *state;
    let ac: &AcLookup = &tables.ac;
    // Position in zig-zag order, times `LANES`.
    let mut at = 0;

    let mut entry = tables.dc[bits.peek(DC_BITS)];
    bits.refill(buffer);
    if entry.is_escape() {
        return decode_by_symbol(state, bits, buffer, tables, coefficients, 0);
    }
    loop {
        at = apply(entry, &mut bits, coefficients, at);
        if at >= LIMIT * LANES {
            break;
        }
        entry = ac[bits.peek(LOOKUP_BITS)];
        if entry.is_escape() {
            bits.refill(buffer);
            entry = tables.long_code(bits.next);
            if entry.is_escape() {
                return decode_by_symbol(state, bits, buffer, tables, coefficients, at);
            }
        }
        at = apply(entry, &mut bits, coefficients, at);
        if at >= LIMIT * LANES {
            break;
        }
        // Entries consume at most 22 bits: after two, enough of the 56 are left for a look-up that need not
        // wait for the refill.
        entry = ac[bits.peek(LOOKUP_BITS)];
        bits.refill(buffer);
        if entry.is_escape() {
            entry = tables.long_code(bits.next);
            if entry.is_escape() {
                return decode_by_symbol(state, bits, buffer, tables, coefficients, at);
            }
        }
    }
    let mut last = (entry.consume(), entry.advance());
    if LIMIT < 64 && at < FULL_POSITION {
        // The remaining coefficients are not used at this scale: only the end of the block has to be found.
        loop {
            let skip = tables.skip[bits.peek(LOOKUP_BITS)];
            bits.refill(buffer);
            if skip.is_escape() {
                return decode_by_symbol(state, bits, buffer, tables, coefficients, at);
            }
            bits.consume(skip.consume());
            last = (skip.consume(), skip.advance());
            at += skip.advance();
            if at >= FULL_POSITION {
                break;
            }
        }
    }
    // A valid block ends after exactly 64 coefficients, or with an end-of-block code after at most 63.
    if at == FULL_POSITION || at & FULL_POSITION == 0 {
        *state = bits;
        return Ok(());
    }
    // The last look-up may have consumed bits of the next block: decode it again symbol by symbol.
    let (consumed, advance) = last;
    bits.rewind(buffer, consumed & 63);
    decode_by_symbol(state, bits, buffer, tables, coefficients, at - advance)
}

/// Writes the coefficients of an entry and returns the position after them.
#[inline(always)]
fn apply(entry: Entry, bits: &mut BitReader, coefficients: &mut Coefficients, at: usize) -> usize {
    // The entry contains the value of the first coefficient; the second is extracted from the bits. A
    // magnitude that begins with a zero bit is negative, and all ones are subtracted (ITU-T T.81, F.2.2.1,
    // EXTEND).
    let magnitude = bits.next << entry.before_magnitude();
    let is_positive = ((magnitude as i64) >> 63) as u64;
    let shift = entry.magnitude_shift();
    let second = ((magnitude >> 1) >> shift).wrapping_sub((!is_positive >> 1) >> shift);
    coefficients[at + entry.second_offset()] = second as i16;
    coefficients[at + entry.first_offset()] = entry.first();
    bits.consume(entry.consume());
    at + entry.advance()
}

/// Decodes the rest of a block symbol by symbol, from position `at`.
#[cold]
#[inline(never)]
fn decode_by_symbol(
    state: &mut BitReader,
    mut bits: BitReader,
    buffer: &WindowBuffer,
    tables: &Tables,
    coefficients: &mut Coefficients,
    mut at: usize,
) -> Result<(), InvalidCode> {
    if at == 0 {
        let size = symbol(&mut bits, buffer, &tables.dc_code)?;
        if size > 15 {
            return Err(InvalidCode);
        }
        coefficients[0] = value(&mut bits, u32::from(size));
        at = LANES;
    }
    while at < FULL_POSITION {
        let symbol = symbol(&mut bits, buffer, &tables.ac_code)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (run, size) {
            (15, 0) => at += 16 * LANES,
            (_, 0) => at = END_POSITION,
            _ => {
                at += run * LANES;
                let value = value(&mut bits, size);
                if at >= FULL_POSITION {
                    return Err(InvalidCode);
                }
                coefficients[at] = value;
                at += LANES;
            }
        }
    }
    *state = bits;
    // Zero runs beyond position 63 are invalid too.
    if at == FULL_POSITION || at == END_POSITION {
        Ok(())
    } else {
        Err(InvalidCode)
    }
}

fn symbol(bits: &mut BitReader, buffer: &WindowBuffer, code: &Code) -> Result<u8, InvalidCode> {
    bits.refill(buffer);
    let (length, symbol) = code.symbol(bits.next).ok_or(InvalidCode)?;
    bits.consume(u64::from(length));
    Ok(symbol)
}

fn value(bits: &mut BitReader, size: u32) -> i16 {
    if size == 0 {
        return 0;
    }
    let raw = (bits.next >> (64 - size)) as u32;
    bits.consume(u64::from(size));
    extend(raw, size) as i16
}
