//! Refinement scans of a band of AC coefficients (ITU-T T.81, G.1.2.3).

use super::lookup::Lookup;
use super::pairs::{self, Pairs};
use crate::backend::{Instructions, Work};
use crate::script::{ScanHeader, bit};
use crate::stream::Stream;
use crate::window::{BitReader, WindowBuffer};

/// Bits that are in the register after a refill, a code of at most 16 bits and a sign.
const MIN_BITS_AFTER_CODE: u32 = 56 - 17;

/// Changes of a block by a scan, as sets of coefficients.
#[derive(Default)]
struct BlockUpdate {
    /// Coefficients with a non-zero history that grow in magnitude.
    corrected: u64,
    /// Coefficients that become non-zero.
    new: u64,
    /// New coefficients that are negative.
    negative: u64,
}

/// Decodes adjacent blocks.
pub(super) struct RefinementScan<'a, 's, const STORED: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) tables: (&'a Lookup, &'a Pairs),
    pub(super) header: &'a ScanHeader,
    pub(super) coefficients: &'a mut [[i16; STORED]],
    pub(super) nonzero: &'a mut [u64],
}

impl<const STORED: usize> Work for RefinementScan<'_, '_, STORED> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let (stream, al) = (self.stream, self.header.al);
        let tables = self.tables;
        let band = self.header.band();
        let mut bits = stream.bits;
        let mut eob_run = stream.eob_run;
        let mut valid = true;
        for (coefficients, nonzero_mask) in self.coefficients.iter_mut().zip(self.nonzero) {
            stream.window.ensure_mcu(&mut bits);
            let buffer = stream.window.buffer();
            let mut update = BlockUpdate::default();
            let history = *nonzero_mask & band;
            if eob_run > 0 {
                eob_run -= 1;
                if history == 0 {
                    continue;
                }
                update.corrected = read_corrections(instructions, &mut bits, buffer, history);
            } else if let Some(run) = decode_block(
                instructions,
                &mut bits,
                buffer,
                tables,
                band,
                history,
                &mut update,
            ) {
                eob_run = run;
            } else {
                valid = false;
                break;
            }
            if stream.window.is_overrun(&bits) {
                break;
            }
            *nonzero_mask |= update.new;
            apply_update(coefficients, &update, al);
        }
        stream.eob_run = eob_run;
        stream.commit(bits, valid);
    }
}

/// Decodes a block, of whose band the coefficients in `history` are not zero, and returns the number of
/// blocks left in an end-of-band run; none if a code is invalid.
#[inline(always)]
fn decode_block<I: Instructions>(
    instructions: I,
    state: &mut BitReader,
    buffer: &WindowBuffer,
    (lookup, pairs): (&Lookup, &Pairs),
    band: u64,
    history: u64,
    update: &mut BlockUpdate,
) -> Option<usize> {
    let mut bits = *state;
    let zeros = band & !history;
    // Coefficients after the position.
    let mut remaining = band;
    while history & remaining != 0 {
        bits.refill(buffer);
        let entry = lookup.next(&bits);
        if entry.is_not_coefficient() {
            bits.consume(entry.consume());
            update.corrected |= read_corrections(instructions, &mut bits, buffer, history & remaining);
            *state = bits;
            return entry.eob_run().checked_sub(1);
        }
        bits.consume(entry.consume());
        // The zero coefficient at which the run ends, as a set.
        let advance = entry.advance();
        let zeros = zeros & remaining;
        let zeros_below = (zeros.count_ones() as usize).checked_sub(advance)?;
        let target = instructions.nth_set_bit(zeros, advance - 1, zeros_below);
        let skipped = history & remaining & target.wrapping_neg();
        update.corrected |= match skipped.count_ones() {
            count if count <= MIN_BITS_AFTER_CODE => {
                take_corrections(instructions, &mut bits, skipped, count)
            }
            _ => read_corrections(instructions, &mut bits, buffer, skipped),
        };
        update.new |= target & entry.coefficient();
        update.negative |= target & entry.negative_coefficient();
        remaining &= target - 1;
    }
    // After the last coefficient with a non-zero history there are only zeros.
    let rest = (
        remaining.leading_zeros() as usize,
        64 - band.trailing_zeros() as usize,
    );
    let run = pairs::read(&mut bits, buffer, (lookup, pairs), rest, |k, value| {
        update.new |= if value == 0 { 0 } else { bit(k) };
        update.negative |= if value < 0 { bit(k) } else { 0 };
    });
    *state = bits;
    run
}

/// Reads a correction bit for each coefficient of a set, and returns the coefficients whose bit is one.
#[inline(always)]
fn read_corrections<I: Instructions>(
    instructions: I,
    bits: &mut BitReader,
    buffer: &WindowBuffer,
    set: u64,
) -> u64 {
    bits.refill(buffer);
    let count = set.count_ones();
    if count <= 56 {
        return take_corrections(instructions, bits, set, count);
    }
    // The set has more coefficients than the register has bits: read it in two halves.
    let upper = take_corrections(
        instructions,
        bits,
        set & (u64::MAX << 32),
        (set >> 32).count_ones(),
    );
    bits.refill(buffer);
    upper
        | take_corrections(
            instructions,
            bits,
            set & (u64::MAX >> 32),
            (set as u32).count_ones(),
        )
}

/// Takes `count` correction bits, one for each coefficient of a set; the register has to contain them.
#[inline(always)]
fn take_corrections<I: Instructions>(instructions: I, bits: &mut BitReader, set: u64, count: u32) -> u64 {
    // Shifted in two steps, because `count` may be zero.
    let values = (bits.next >> 1) >> (63 - count);
    bits.consume(u64::from(count));
    instructions.deposit_bits(values, set)
}

/// Applies the changes to the stored coefficients.
#[inline(always)]
fn apply_update<const STORED: usize>(coefficients: &mut [i16; STORED], update: &BlockUpdate, al: u32) {
    let (mut changed, mut negative) = (update.corrected | update.new, update.negative);
    for chunk in coefficients.as_chunks_mut().0 {
        update_chunk(chunk, changed, negative, al);
        (changed, negative) = (changed << 8, negative << 8);
    }
}

/// All ones in the lanes of a set of eight.
static LANE_MASKS: [[i16; 8]; 256] = {
    let mut masks = [[0; 8]; 256];
    let mut at = 0;
    while at < 256 * 8 {
        if (at / 8) >> (7 - at % 8) & 1 == 1 {
            masks[at / 8][at % 8] = -1;
        }
        at += 1;
    }
    masks
};

/// Moves the `changed` coefficients one step away from zero; those that are zero move down if they are in
/// `negative`.
#[inline(always)]
fn update_chunk(coefficients: &mut [i16; 8], changed: u64, negative: u64, al: u32) {
    let (changed, negative) = (
        &LANE_MASKS[(changed >> 56) as usize],
        &LANE_MASKS[(negative >> 56) as usize],
    );
    for k in 0..8 {
        let step = changed[k] & (1 << al);
        let down = (coefficients[k] >> 15) | negative[k];
        coefficients[k] = coefficients[k].wrapping_add((step ^ down).wrapping_sub(down));
    }
}
