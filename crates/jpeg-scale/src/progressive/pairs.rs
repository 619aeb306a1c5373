//! AC coefficients of a band without non-zero history, up to two in one look-up.

use super::lookup::{BITS, Entries, Lookup, SIZE};
use crate::window::{BitReader, WindowBuffer};

/// Up to two coefficients and the end of the block.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume |
/// | 6 | end of the block after the coefficients |
/// | 7 | none of this: use the [`Entry`](super::lookup::Entry) |
/// | 8–13 | bits to consume for the first coefficient alone |
/// | 16–21 | advance of the position past the first coefficient |
/// | 24–29 | advance of the position past the second coefficient |
/// | 32–47 | value of the first coefficient |
/// | 48–63 | value of the second coefficient |
///
/// With a single coefficient, the second equals the first.
#[derive(Clone, Copy)]
pub(super) struct Pair(u64);

/// Look-up table of pairs.
pub(super) type Pairs = [Pair; SIZE];

impl Pair {
    const FALLBACK: Self = Self(1 << 7);

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    fn consume(self) -> u64 {
        self.0
    }

    /// Bits to consume for the first coefficient alone, in the low 6 bits.
    #[inline(always)]
    fn consume_first(self) -> u64 {
        self.0 >> 8
    }

    #[inline(always)]
    fn is_end(self) -> bool {
        self.0 & 1 << 6 != 0
    }

    #[inline(always)]
    fn is_fallback(self) -> bool {
        self.0 & 1 << 7 != 0
    }

    #[inline(always)]
    fn advance_first(self) -> usize {
        (self.0 >> 16) as usize & 63
    }

    #[inline(always)]
    fn advance(self) -> usize {
        (self.0 >> 24) as usize & 63
    }

    #[inline(always)]
    fn first(self) -> i16 {
        (self.0 >> 32) as i16
    }

    #[inline(always)]
    fn second(self) -> i16 {
        (self.0 >> 48) as i16
    }
}

impl Lookup {
    /// Adds the table of pairs.
    pub(super) fn with_pairs(self) -> (Self, Box<Pairs>) {
        let pairs = pairs(&self.entries);
        (self, pairs)
    }
}

fn pairs(entries: &Entries) -> Box<Pairs> {
    let mut pairs = Box::new([Pair::FALLBACK; SIZE]);
    for (index, pair) in pairs.iter_mut().enumerate() {
        let first = entries[index];
        if first.is_not_coefficient() {
            continue;
        }
        // The entry of the bits after the first `consumed` ones, if all its bits are known.
        let entry_after = |consumed: u64| {
            let next = entries[(index << consumed) & (SIZE - 1)];
            (!next.is_invalid() && consumed + (next.consume() & 63) <= u64::from(BITS)).then_some(next)
        };
        let mut consume = first.consume() & 63;
        let mut advance = first.advance();
        let mut value = first.value();
        // A run of zeros is not combined with a second coefficient, because it ends at no coefficient itself.
        if first.value() != 0
            && let Some(second) = entry_after(consume)
            && !second.is_not_coefficient()
            && second.value() != 0
        {
            consume += second.consume() & 63;
            advance += second.advance();
            value = second.value();
        }
        let mut end = 0;
        if let Some(last) = entry_after(consume)
            && last.is_not_coefficient()
            && last.eob_run() == 1
        {
            consume += last.consume() & 63;
            end = 1;
        }
        *pair = Pair(
            consume
                | end << 6
                | (first.consume() & 63) << 8
                | (first.advance() as u64) << 16
                | (advance as u64) << 24
                | u64::from(first.value() as u16) << 32
                | u64::from(value as u16) << 48,
        );
    }
    pairs
}

/// Decodes coefficients from position `at` to `end`, where the block has only zeros, and passes them to
/// `put`, which may be called with zeros, and twice for a coefficient. Returns the number of blocks left in
/// an end-of-band run; none if a code is invalid.
#[inline(always)]
pub(super) fn read(
    bits: &mut BitReader,
    buffer: &WindowBuffer,
    (lookup, pairs): (&Lookup, &Pairs),
    (mut at, end): (usize, usize),
    mut put: impl FnMut(usize, i16),
) -> Option<usize> {
    while at < end {
        bits.refill(buffer);
        let pair = pairs[bits.peek(BITS)];
        if pair.is_fallback() {
            let entry = lookup.next(bits);
            bits.consume(entry.consume());
            if entry.is_not_coefficient() {
                return entry.eob_run().checked_sub(1);
            }
            at += entry.advance();
            if at > end {
                return None;
            }
            put(at - 1, entry.value());
            continue;
        }
        let first = at + pair.advance_first();
        if first >= end {
            // The first coefficient completes the band: the bits after it belong to the next block.
            bits.consume(pair.consume_first());
            if first > end {
                return None;
            }
            put(first - 1, pair.first());
            return Some(0);
        }
        put(first - 1, pair.first());
        let second = at + pair.advance();
        if second >= end {
            // The second coefficient completes the band: decode it on its own.
            bits.consume(pair.consume_first());
            at = first;
            continue;
        }
        put(second - 1, pair.second());
        bits.consume(pair.consume());
        if pair.is_end() {
            return Some(0);
        }
        at = second;
    }
    Some(0)
}
