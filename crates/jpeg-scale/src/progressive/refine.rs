//! Scans that refine a band of AC coefficients (ITU-T T.81, G.1.2.3).

use super::lookup::Lookup;
use crate::backend::Instructions;
use crate::script::Pass;
use crate::stream::Stream;
use crate::window::{Bits, Bytes};

/// Bits that a register holds for certain behind a code and a sign.
const AT_HAND: u32 = 56 - 17;

/// What a scan says of a block: sets of coefficients.
#[derive(Default)]
struct Changes {
    /// Those that are to go further from zero.
    grown: u64,
    /// Those that were zero.
    new: u64,
    /// Those of the new that are positive.
    positive: u64,
}

/// Reads neighbouring blocks.
#[inline(always)]
pub(super) fn blocks<I: Instructions, const K: usize>(
    instructions: I,
    stream: &mut Stream<'_>,
    lookup: &Lookup,
    pass: &Pass,
    coefficients: &mut [[i16; K]],
    sets: &mut [u64],
) {
    let band = pass.band();
    let mut bits = stream.bits;
    let mut blank = stream.blank;
    let mut valid = true;
    for (coefficients, set) in coefficients.iter_mut().zip(sets) {
        stream.window.prepare(&mut bits);
        let bytes = stream.window.bytes();
        let mut changes = Changes::default();
        let known = *set & band;
        if blank > 0 {
            blank -= 1;
            if known == 0 {
                continue;
            }
            changes.grown = corrections(instructions, &mut bits, bytes, known);
        } else if let Some(run) = block(instructions, &mut bits, bytes, lookup, band, known, &mut changes) {
            blank = run;
        } else {
            valid = false;
            break;
        }
        if stream.window.is_overrun(&bits) {
            break;
        }
        *set |= changes.new;
        apply(coefficients, &changes, pass.low);
    }
    stream.blank = blank;
    stream.settle(bits, valid);
}

/// Reads a block whose coefficients of the band are `known` not to be zero, and tells how many without new
/// coefficients follow; none if it is invalid.
#[inline(always)]
fn block<I: Instructions>(
    instructions: I,
    state: &mut Bits,
    bytes: &Bytes,
    lookup: &Lookup,
    band: u64,
    known: u64,
    changes: &mut Changes,
) -> Option<usize> {
    let mut bits = *state;
    let zeros = band & !known;
    // Zeros behind the position, and all coefficients behind it.
    let mut left = zeros.count_ones() as usize;
    let mut open = band;
    let mut run = 0;
    while open != 0 {
        bits.refill(bytes);
        let entry = lookup.entry(&bits);
        if entry.is_end() {
            run = entry.blocks(bits.next) - 1;
            bits.consume(entry.consume());
            changes.grown |= corrections(instructions, &mut bits, bytes, known & open);
            break;
        }
        let advance = entry.advance();
        if advance > left || entry.is_invalid() {
            *state = bits;
            return None;
        }
        left -= advance;
        let is_positive = entry.value(bits.next) > 0;
        bits.consume(entry.consume());
        // The zero at which the run ends, as a set.
        let place = instructions.nth(zeros & open, advance - 1, left);
        let passed = known & open & place.wrapping_neg();
        changes.grown |= match passed.count_ones() {
            count if count <= AT_HAND => take(instructions, &mut bits, passed, count),
            _ => corrections(instructions, &mut bits, bytes, passed),
        };
        changes.new |= if entry.is_coefficient() { place } else { 0 };
        changes.positive |= if is_positive { place } else { 0 };
        open &= place - 1;
    }
    *state = bits;
    Some(run)
}

/// Takes a bit for each coefficient of a set, and returns those with a one.
#[inline(always)]
fn corrections<I: Instructions>(instructions: I, bits: &mut Bits, bytes: &Bytes, set: u64) -> u64 {
    bits.refill(bytes);
    let count = set.count_ones();
    if count <= 56 {
        return take(instructions, bits, set, count);
    }
    // More than a register holds for certain.
    let upper = take(
        instructions,
        bits,
        set & (u64::MAX << 32),
        (set >> 32).count_ones(),
    );
    bits.refill(bytes);
    upper
        | take(
            instructions,
            bits,
            set & (u64::MAX >> 32),
            (set as u32).count_ones(),
        )
}

/// Takes `count` bits, one for each coefficient of a set; the register has to hold them.
#[inline(always)]
fn take<I: Instructions>(instructions: I, bits: &mut Bits, set: u64, count: u32) -> u64 {
    // In two steps, because there may be none.
    let values = (bits.next >> 1) >> (63 - count);
    bits.consume(u64::from(count));
    instructions.deposit(values, set)
}

/// Changes the coefficients that are stored.
#[inline(always)]
fn apply<const K: usize>(coefficients: &mut [i16; K], changes: &Changes, low: u32) {
    let stored = u64::MAX << (64 - K);
    let mut set = (changes.grown | changes.new) & stored;
    while set != 0 {
        let k = set.leading_zeros() as usize;
        let place = 1 << 63 >> k;
        set ^= place;
        let coefficient = &mut coefficients[k % K];
        let is_negative = *coefficient < 0 || changes.new & !changes.positive & place != 0;
        *coefficient = coefficient.wrapping_add(if is_negative { -1 << low } else { 1 << low });
    }
}
