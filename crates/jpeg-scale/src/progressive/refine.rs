//! Scans that refine a band of AC coefficients (ITU-T T.81, G.1.2.3).

use super::lookup::Lookup;
use super::pairs::{self, Pairs};
use crate::backend::{Instructions, Work};
use crate::script::{Pass, bit};
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
    /// Those of the new that are negative.
    negative: u64,
}

/// Reads neighbouring blocks.
pub(super) struct Refine<'a, 's, const K: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) tables: (&'a Lookup, &'a Pairs),
    pub(super) pass: &'a Pass,
    pub(super) coefficients: &'a mut [[i16; K]],
    pub(super) sets: &'a mut [u64],
}

impl<const K: usize> Work for Refine<'_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let (stream, low) = (self.stream, self.pass.low);
        let tables = self.tables;
        let band = self.pass.band();
        let mut bits = stream.bits;
        let mut blank = stream.blank;
        let mut valid = true;
        for (coefficients, set) in self.coefficients.iter_mut().zip(self.sets) {
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
            } else if let Some(run) = block(instructions, &mut bits, bytes, tables, band, known, &mut changes)
            {
                blank = run;
            } else {
                valid = false;
                break;
            }
            if stream.window.is_overrun(&bits) {
                break;
            }
            *set |= changes.new;
            apply(coefficients, &changes, low);
        }
        stream.blank = blank;
        stream.settle(bits, valid);
    }
}

/// Reads a block whose coefficients of the band are `known` not to be zero, and tells how many without new
/// coefficients follow; none if it is invalid.
#[inline(always)]
fn block<I: Instructions>(
    instructions: I,
    state: &mut Bits,
    bytes: &Bytes,
    (lookup, pairs): (&Lookup, &Pairs),
    band: u64,
    known: u64,
    changes: &mut Changes,
) -> Option<usize> {
    let mut bits = *state;
    let zeros = band & !known;
    // All coefficients behind the position.
    let mut open = band;
    while known & open != 0 {
        bits.refill(bytes);
        let entry = lookup.next(&bits);
        if entry.is_special() {
            bits.consume(entry.consume());
            changes.grown |= corrections(instructions, &mut bits, bytes, known & open);
            *state = bits;
            return entry.blocks().checked_sub(1);
        }
        bits.consume(entry.consume());
        // The zero at which the run ends, as a set.
        let advance = entry.advance();
        let zeros = zeros & open;
        let left = (zeros.count_ones() as usize).checked_sub(advance)?;
        let place = instructions.nth(zeros, advance - 1, left);
        let passed = known & open & place.wrapping_neg();
        changes.grown |= match passed.count_ones() {
            count if count <= AT_HAND => take(instructions, &mut bits, passed, count),
            _ => corrections(instructions, &mut bits, bytes, passed),
        };
        changes.new |= place & entry.coefficient();
        changes.negative |= place & entry.negative_coefficient();
        open &= place - 1;
    }
    // Behind the last known one there are only zeros.
    let rest = (open.leading_zeros() as usize, 64 - band.trailing_zeros() as usize);
    let run = pairs::read(&mut bits, bytes, (lookup, pairs), rest, |k, value| {
        changes.new |= if value == 0 { 0 } else { bit(k) };
        changes.negative |= if value < 0 { bit(k) } else { 0 };
    });
    *state = bits;
    run
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
    let (mut changed, mut negative) = (changes.grown | changes.new, changes.negative);
    for piece in coefficients.as_chunks_mut().0 {
        change(piece, changed, negative, low);
        (changed, negative) = (changed << 8, negative << 8);
    }
}

/// All ones in the places of a set of eight.
static EXPANDED: [[i16; 8]; 256] = {
    let mut expanded = [[0; 8]; 256];
    let mut at = 0;
    while at < 256 * 8 {
        if (at / 8) >> (7 - at % 8) & 1 == 1 {
            expanded[at / 8][at % 8] = -1;
        }
        at += 1;
    }
    expanded
};

/// Moves the `changed` of some coefficients one step from zero, towards the `negative` where they were zero.
#[inline(always)]
fn change(coefficients: &mut [i16; 8], changed: u64, negative: u64, low: u32) {
    let (changed, negative) = (
        &EXPANDED[(changed >> 56) as usize],
        &EXPANDED[(negative >> 56) as usize],
    );
    for k in 0..8 {
        let step = changed[k] & (1 << low);
        let down = (coefficients[k] >> 15) | negative[k];
        coefficients[k] = coefficients[k].wrapping_add((step ^ down).wrapping_sub(down));
    }
}
