//! DC coefficients of a progressive file (ITU-T T.81, G.1.2.1).

use super::lookup::Lookup;
use crate::stream::Stream;

/// Reads the upper bits of a block's DC coefficient; false if that was not possible.
#[inline(always)]
pub(super) fn first<const K: usize>(
    stream: &mut Stream<'_>,
    lookup: &Lookup,
    component: usize,
    low: u32,
    block: &mut [i16; K],
) -> bool {
    stream.window.prepare(&mut stream.bits);
    let mut bits = stream.bits;
    bits.refill(stream.window.bytes());
    let entry = lookup.entry(&bits);
    let prediction = &mut stream.predictions[component];
    *prediction = prediction.wrapping_add(entry.value(bits.next));
    block[0] = *prediction << low;
    bits.consume(entry.consume());
    stream.settle(bits, !entry.is_invalid());
    !stream.lost
}

/// Reads the next bit of a block's DC coefficient; false if that was not possible.
#[inline(always)]
pub(super) fn refine<const K: usize>(stream: &mut Stream<'_>, low: u32, block: &mut [i16; K]) -> bool {
    stream.window.prepare(&mut stream.bits);
    let mut bits = stream.bits;
    bits.refill(stream.window.bytes());
    block[0] |= (bits.peek(1) as i16) << low;
    bits.consume(1);
    stream.settle(bits, true);
    !stream.lost
}
