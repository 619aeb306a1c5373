//! Entropy decoding of one block: where a JPEG decoder spends its time.

use crate::group::LANES;
use crate::huffman::{Code, DC_BITS, END_OF_BLOCK, Entry, LOOKUP_BITS, Lookup, Tables, extend};
use crate::window::{Bits, Bytes};
use crate::zigzag::ZIGZAG_INDEX;

/// A block's coefficients, every sixteenth of these; from position 64 on are places that only damaged data reach.
pub(crate) type Coefficients = [i16; 127 * LANES + 1];

/// The block holds a code that no table has, or coefficients beyond its end.
pub(crate) struct InvalidCode;

const END: usize = END_OF_BLOCK * LANES;
const FULL: usize = 64 * LANES;

/// How many coefficients (in the file's order) are worth decoding. For the small scales that is up to the last one of
/// the N × N; where these are most of a block's, a second loop for the rest costs more than it saves.
pub(crate) const fn limit(n: usize) -> usize {
    if n < 4 {
        ZIGZAG_INDEX[(n - 1) * 9] as usize + 1
    } else {
        64
    }
}

/// Decodes a block. Its coefficients up to `LIMIT` (in zigzag order) have to be zero and are written if they are not;
/// those from `LIMIT` on may be written or not. The DC coefficient is the difference to the block before.
///
/// The loop has one branch that cannot be predicted: the end of the block. A look-up gives up to two coefficients and
/// the end, the register is topped up at every second one, and neither signs nor missing coefficients are branches.
#[inline(always)]
pub(crate) fn decode<const LIMIT: usize>(
    state: &mut Bits,
    bytes: &Bytes,
    tables: &Tables,
    coefficients: &mut Coefficients,
) -> Result<(), InvalidCode> {
    // A copy that lives in registers.
    let mut bits = *state;
    let ac: &Lookup = &tables.ac;
    // The position, times 16.
    let mut at = 0;

    let mut entry = tables.dc[bits.peek(DC_BITS)];
    bits.refill(bytes);
    if entry.is_escape() {
        return slowly(state, bits, bytes, tables, coefficients, 0);
    }
    loop {
        at = apply(entry, &mut bits, coefficients, at);
        if at >= LIMIT * LANES {
            break;
        }
        entry = ac[bits.peek(LOOKUP_BITS)];
        if entry.is_escape() {
            bits.refill(bytes);
            entry = tables.long_code(bits.next);
            if entry.is_escape() {
                return slowly(state, bits, bytes, tables, coefficients, at);
            }
        }
        at = apply(entry, &mut bits, coefficients, at);
        if at >= LIMIT * LANES {
            break;
        }
        // Entries take 22 bits at most: of 56, enough are left for a look-up that does not wait for the refill.
        entry = ac[bits.peek(LOOKUP_BITS)];
        bits.refill(bytes);
        if entry.is_escape() {
            entry = tables.long_code(bits.next);
            if entry.is_escape() {
                return slowly(state, bits, bytes, tables, coefficients, at);
            }
        }
    }
    let mut last = (entry.consume(), entry.advance());
    if LIMIT < 64 && at < FULL {
        // No coefficient is wanted any more: only how long the block is.
        loop {
            let skip = tables.skip[bits.peek(LOOKUP_BITS)];
            bits.refill(bytes);
            if skip.is_escape() {
                return slowly(state, bits, bytes, tables, coefficients, at);
            }
            bits.consume(skip.consume());
            last = (skip.consume(), skip.advance());
            at += skip.advance();
            if at >= FULL {
                break;
            }
        }
    }
    // Right ends are 64 coefficients, or an end of block behind at most 63.
    if at == FULL || at & FULL == 0 {
        *state = bits;
        return Ok(());
    }
    // The last look-up took bits of the next block for its own.
    let (consumed, advance) = last;
    bits.rewind(bytes, consumed & 63);
    slowly(state, bits, bytes, tables, coefficients, at - advance)
}

/// Writes an entry's coefficients and returns the position behind them.
#[inline(always)]
fn apply(entry: Entry, bits: &mut Bits, coefficients: &mut Coefficients, at: usize) -> usize {
    // The first coefficient was known when the table was built, the second is cut out of the bits: if its magnitude
    // begins with a zero, it is negative, and all ones are to be subtracted.
    let magnitude = bits.next << entry.before_magnitude();
    let is_positive = ((magnitude as i64) >> 63) as u64;
    let shift = entry.magnitude_shift();
    let second = ((magnitude >> 1) >> shift).wrapping_sub((!is_positive >> 1) >> shift);
    coefficients[at + entry.second_at()] = second as i16;
    coefficients[at + entry.first_at()] = entry.first();
    bits.consume(entry.consume());
    at + entry.advance()
}

/// Decodes the rest of a block symbol by symbol, from position `at`.
#[cold]
#[inline(never)]
fn slowly(
    state: &mut Bits,
    mut bits: Bits,
    bytes: &Bytes,
    tables: &Tables,
    coefficients: &mut Coefficients,
    mut at: usize,
) -> Result<(), InvalidCode> {
    if at == 0 {
        let size = symbol(&mut bits, bytes, &tables.dc_code)?;
        if size > 15 {
            return Err(InvalidCode);
        }
        coefficients[0] = value(&mut bits, u32::from(size));
        at = LANES;
    }
    while at < FULL {
        let symbol = symbol(&mut bits, bytes, &tables.ac_code)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (run, size) {
            (15, 0) => at += 16 * LANES,
            (_, 0) => at = END,
            _ => {
                at += run * LANES;
                let value = value(&mut bits, size);
                if at >= FULL {
                    return Err(InvalidCode);
                }
                coefficients[at] = value;
                at += LANES;
            }
        }
    }
    *state = bits;
    // Zeros beyond the end are a mistake too.
    if at == FULL || at == END {
        Ok(())
    } else {
        Err(InvalidCode)
    }
}

fn symbol(bits: &mut Bits, bytes: &Bytes, code: &Code) -> Result<u8, InvalidCode> {
    bits.refill(bytes);
    let (length, symbol) = code.symbol(bits.next).ok_or(InvalidCode)?;
    bits.consume(u64::from(length));
    Ok(symbol)
}

fn value(bits: &mut Bits, size: u32) -> i16 {
    if size == 0 {
        return 0;
    }
    let raw = (bits.next >> (64 - size)) as u32;
    bits.consume(u64::from(size));
    extend(raw, size) as i16
}
