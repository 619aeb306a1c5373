//! The first scan of a band of AC coefficients (ITU-T T.81, G.1.2.2).

use super::lookup::{Lookup, entry};
use crate::backend::{Instructions, Work};
use crate::script::{Pass, bit};
use crate::stream::Stream;
use crate::window::{Bits, Bytes};

/// Reads neighbouring blocks.
pub(super) struct First<'a, 's, const K: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) lookup: &'a Lookup,
    pub(super) pass: &'a Pass,
    pub(super) coefficients: &'a mut [[i16; K]],
    pub(super) sets: &'a mut [u64],
}

impl<const K: usize> Work for First<'_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self {
            stream,
            lookup,
            pass,
            coefficients,
            sets,
        } = self;
        let mut at = stream.blank.min(sets.len());
        stream.blank -= at;
        let mut bits = stream.bits;
        let mut blank = stream.blank;
        let mut valid = true;
        while let (Some(coefficients), Some(set)) = (coefficients.get_mut(at), sets.get_mut(at)) {
            stream.window.prepare(&mut bits);
            let outcome = block(&mut bits, stream.window.bytes(), lookup, pass, coefficients, set);
            valid = outcome.is_some();
            if !valid || stream.window.is_overrun(&bits) {
                break;
            }
            let run = outcome.unwrap_or_default();
            // Runs may go on in the next row.
            at += 1 + run;
            blank = at.saturating_sub(sets.len());
        }
        stream.blank = blank;
        stream.settle(bits, valid);
    }
}

/// Reads a block, and tells how many without coefficients follow; none if it is invalid.
#[inline(always)]
fn block<const K: usize>(
    state: &mut Bits,
    bytes: &Bytes,
    lookup: &Lookup,
    pass: &Pass,
    coefficients: &mut [i16; K],
    set: &mut u64,
) -> Option<usize> {
    let mut bits = *state;
    let mut found = 0;
    // Where the next coefficient is.
    let mut at = pass.first;
    let (last, low) = (pass.last, pass.low);
    let entries = &*lookup.entries;
    let mut is_full = true;
    while at <= last {
        // Entries of the table take 11 bits at most, others 31: every other look-up needs no refill.
        if is_full {
            bits.refill(bytes);
        }
        is_full = !is_full;
        let mut entry = entry(entries, &bits);
        if entry.is_special() {
            if entry.is_invalid() {
                bits.refill(bytes);
                entry = lookup.long(bits.next);
            }
            if entry.is_special() {
                bits.consume(entry.consume());
                *set |= found;
                *state = bits;
                return entry.blocks().checked_sub(1);
            }
        }
        at += entry.advance();
        let k = at - 1;
        if k > last {
            return None;
        }
        if let Some(coefficient) = coefficients.get_mut(k) {
            *coefficient = entry.value() << low;
        }
        found |= bit(k) & entry.coefficient();
        bits.consume(entry.consume());
    }
    *set |= found;
    *state = bits;
    Some(0)
}
