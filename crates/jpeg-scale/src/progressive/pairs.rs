//! AC coefficients where there were only zeros before, up to two in one look-up.

use super::lookup::{BITS, Entries, Lookup, SIZE};
use crate::window::{Bits, Bytes};

/// What the next bits say: one coefficient or two, and perhaps the end of the block.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume |
/// | 6 | the end of the block behind the coefficients |
/// | 7 | not this, but what an [`Entry`](super::lookup::Entry) says |
/// | 8–13 | bits to consume for the first alone |
/// | 16–21 | how far the position advances to behind the first |
/// | 24–29 | how far the position advances to behind the second |
/// | 32–47 | the first coefficient's value |
/// | 48–63 | the second coefficient's value |
///
/// If there is one coefficient, the second is the first once more.
#[derive(Clone, Copy)]
pub(super) struct Pair(u64);

/// A table to look pairs up in.
pub(super) type Pairs = [Pair; SIZE];

impl Pair {
    const SPECIAL: Self = Self(1 << 7);

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    fn consume(self) -> u64 {
        self.0
    }

    /// Bits to consume for the first alone, in the low 6 bits.
    #[inline(always)]
    fn consume_first(self) -> u64 {
        self.0 >> 8
    }

    #[inline(always)]
    fn is_end(self) -> bool {
        self.0 & 1 << 6 != 0
    }

    #[inline(always)]
    fn is_special(self) -> bool {
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
    /// The table, with a second one.
    pub(super) fn with_pairs(self) -> (Self, Box<Pairs>) {
        let pairs = pairs(&self.entries);
        (self, pairs)
    }
}

fn pairs(entries: &Entries) -> Box<Pairs> {
    let mut pairs = Box::new([Pair::SPECIAL; SIZE]);
    for (index, pair) in pairs.iter_mut().enumerate() {
        let first = entries[index];
        if first.is_special() {
            continue;
        }
        // What the bits behind the first say, as far as they are known.
        let behind = |consumed: u64| {
            let next = entries[(index << consumed) & (SIZE - 1)];
            (!next.is_invalid() && consumed + (next.consume() & 63) <= u64::from(BITS)).then_some(next)
        };
        let mut consume = first.consume() & 63;
        let mut advance = first.advance();
        let mut value = first.value();
        // A run of zeros stays alone, because no coefficient is where it ends.
        if first.value() != 0
            && let Some(second) = behind(consume)
            && !second.is_special()
            && second.value() != 0
        {
            consume += second.consume() & 63;
            advance += second.advance();
            value = second.value();
        }
        let mut end = 0;
        if let Some(last) = behind(consume)
            && last.is_special()
            && last.blocks() == 1
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

/// Reads coefficients from position `at` to `end`, where a block has only zeros, and hands each to `put`; there may be
/// zeros among them, and some may come twice. Tells how many blocks without coefficients follow; none if that is invalid.
#[inline(always)]
pub(super) fn read(
    bits: &mut Bits,
    bytes: &Bytes,
    (lookup, pairs): (&Lookup, &Pairs),
    (mut at, end): (usize, usize),
    mut put: impl FnMut(usize, i16),
) -> Option<usize> {
    while at < end {
        bits.refill(bytes);
        let pair = pairs[bits.peek(BITS)];
        if pair.is_special() {
            let entry = lookup.next(bits);
            bits.consume(entry.consume());
            if entry.is_special() {
                return entry.blocks().checked_sub(1);
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
            // With the first, the block is full: what follows it is of the next.
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
            // The same about the second.
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
