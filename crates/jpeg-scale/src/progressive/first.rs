//! First scan of a band of AC coefficients (ITU-T T.81, G.1.2.2).

use super::lookup::Lookup;
use super::pairs::{self, Pairs};
use crate::backend::{Instructions, Work};
use crate::script::{ScanHeader, bit};
use crate::stream::Stream;
use crate::window::{BitReader, WindowBuffer};

/// Decodes adjacent blocks.
pub(super) struct FirstScan<'a, 's, const STORED: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) tables: (&'a Lookup, &'a Pairs),
    pub(super) header: &'a ScanHeader,
    pub(super) coefficients: &'a mut [[i16; STORED]],
    pub(super) nonzero: &'a mut [u64],
}

impl<const STORED: usize> Work for FirstScan<'_, '_, STORED> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self {
            stream,
            tables,
            header,
            coefficients,
            nonzero,
        } = self;
        let mut at = stream.eob_run.min(nonzero.len());
        stream.eob_run -= at;
        let mut bits = stream.bits;
        let mut eob_run = stream.eob_run;
        let mut valid = true;
        let band = (header.spectral_start, header.spectral_end + 1);
        while let (Some(coefficients), Some(nonzero_mask)) = (coefficients.get_mut(at), nonzero.get_mut(at)) {
            stream.window.ensure_mcu(&mut bits);
            let buffer = stream.window.buffer();
            let outcome = decode_block(
                &mut bits,
                buffer,
                tables,
                (band, header.al),
                coefficients,
                nonzero_mask,
            );
            valid = outcome.is_some();
            if !valid || stream.window.is_overrun(&bits) {
                break;
            }
            let run = outcome.unwrap_or_default();
            // An end-of-band run may extend into the next row.
            at += 1 + run;
            eob_run = at.saturating_sub(nonzero.len());
        }
        stream.eob_run = eob_run;
        stream.commit(bits, valid);
    }
}

/// Decodes a block and returns the number of blocks left in an end-of-band run; none if a code is invalid.
#[inline(always)]
fn decode_block<const STORED: usize>(
    state: &mut BitReader,
    buffer: &WindowBuffer,
    tables: (&Lookup, &Pairs),
    (band, al): ((usize, usize), u32),
    coefficients: &mut [i16; STORED],
    nonzero_mask: &mut u64,
) -> Option<usize> {
    let mut bits = *state;
    let mut found = 0;
    let run = pairs::read(&mut bits, buffer, tables, band, |k, value| {
        if let Some(coefficient) = coefficients.get_mut(k) {
            *coefficient = value << al;
        }
        found |= if value == 0 { 0 } else { bit(k) };
    });
    *nonzero_mask |= found;
    *state = bits;
    run
}
