//! The first scan of a band of AC coefficients (ITU-T T.81, G.1.2.2).

use super::lookup::Lookup;
use super::pairs::{self, Pairs};
use crate::backend::{Instructions, Work};
use crate::script::{Pass, bit};
use crate::stream::Stream;
use crate::window::{Bits, Bytes};

/// Reads neighbouring blocks.
pub(super) struct First<'a, 's, const K: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) tables: (&'a Lookup, &'a Pairs),
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
            tables,
            pass,
            coefficients,
            sets,
        } = self;
        let mut at = stream.blank.min(sets.len());
        stream.blank -= at;
        let mut bits = stream.bits;
        let mut blank = stream.blank;
        let mut valid = true;
        let band = (pass.first, pass.last + 1);
        while let (Some(coefficients), Some(set)) = (coefficients.get_mut(at), sets.get_mut(at)) {
            stream.window.prepare(&mut bits);
            let bytes = stream.window.bytes();
            let outcome = block(&mut bits, bytes, tables, (band, pass.low), coefficients, set);
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
    tables: (&Lookup, &Pairs),
    (band, low): ((usize, usize), u32),
    coefficients: &mut [i16; K],
    set: &mut u64,
) -> Option<usize> {
    let mut bits = *state;
    let mut found = 0;
    let run = pairs::read(&mut bits, bytes, tables, band, |k, value| {
        if let Some(coefficient) = coefficients.get_mut(k) {
            *coefficient = value << low;
        }
        found |= if value == 0 { 0 } else { bit(k) };
    });
    *set |= found;
    *state = bits;
    run
}
