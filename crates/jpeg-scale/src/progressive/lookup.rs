//! The tables that the scans of a progressive file look their codes up in.

use crate::huffman::{Code, extend};
use crate::window::Bits;

/// Bits that a look-up sees.
pub(super) const BITS: u32 = 11;
pub(super) const SIZE: usize = 1 << BITS;

/// A code with the value behind it.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume, those of the value included |
/// | 8–12 | how many coefficients (zeros, in a scan that refines) the position advances |
/// | 13 | a coefficient that is not zero |
/// | 14 | such a coefficient, and it is negative |
/// | 15 | the end of the block, or none of all this |
/// | 16–31 | the coefficient's value, or the number of blocks that end |
#[derive(Clone, Copy)]
pub(crate) struct Entry(u32);

impl Entry {
    /// A code that is longer than a look-up with its value, or invalid.
    const ESCAPE: Self = Self(1 << 15);

    fn new(consume: u32, advance: u32, value: i32) -> Self {
        let flags = u32::from(value != 0) << 13 | u32::from(value < 0) << 14;
        Self(consume | advance << 8 | flags | (value as u32) << 16)
    }

    fn end(consume: u32, blocks: u32) -> Self {
        Self(consume | 1 << 15 | blocks << 16)
    }

    /// Whether it is no coefficient and no run of zeros.
    #[inline(always)]
    pub(crate) fn is_special(self) -> bool {
        self.0 & 1 << 15 != 0
    }

    #[inline(always)]
    pub(crate) fn is_invalid(self) -> bool {
        self.0 == Self::ESCAPE.0
    }

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    pub(crate) fn consume(self) -> u64 {
        u64::from(self.0)
    }

    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        ((self.0 >> 8) & 31) as usize
    }

    #[inline(always)]
    pub(crate) fn value(self) -> i16 {
        (self.0 >> 16) as i16
    }

    /// All ones if there is a coefficient.
    #[inline(always)]
    pub(crate) fn coefficient(self) -> u64 {
        i64::from((self.0 << 18) as i32 >> 31) as u64
    }

    /// All ones if there is a coefficient, and it is negative.
    #[inline(always)]
    pub(crate) fn negative_coefficient(self) -> u64 {
        i64::from((self.0 << 17) as i32 >> 31) as u64
    }

    /// The blocks of a run without coefficients, this one included.
    #[inline(always)]
    pub(crate) fn blocks(self) -> usize {
        (self.0 >> 16) as usize
    }
}

/// What the symbols of a table mean.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// Sizes of DC differences.
    Dc,
    /// AC coefficients and runs of blocks.
    First,
    /// New coefficients among those that are refined, and runs of blocks.
    Refinement,
}

impl Meaning {
    /// What a symbol says that these bits begin with, behind its code of this length.
    fn entry(self, length: u32, symbol: u8, bits: u64) -> Entry {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let magnitude = |size: u32| ((bits << length >> 1) >> (63 - size)) as u32;
        let coefficient = |value: i32| Entry::new(length + size, run + 1, value);
        match (self, run, size) {
            (Self::Dc, 0, _) | (Self::First, _, 1..) => coefficient(extend(magnitude(size), size)),
            (Self::Refinement, _, 1) => coefficient(extend(magnitude(1), 1)),
            (Self::First | Self::Refinement, 15, 0) => Entry::new(length, 16, 0),
            (Self::First | Self::Refinement, _, 0) => Entry::end(length + run, 1 << run | magnitude(run)),
            (Self::Dc | Self::Refinement, _, _) => Entry::ESCAPE,
        }
    }
}

/// A table to look codes up in.
pub(crate) struct Lookup {
    pub(crate) entries: Box<Entries>,
    code: Code,
    meaning: Meaning,
}

pub(crate) type Entries = [Entry; SIZE];

impl Lookup {
    pub(crate) fn new(code: &Code, meaning: Meaning) -> Self {
        let mut entries = Box::new([Entry::ESCAPE; SIZE]);
        let mut at = 0;
        for (length, symbols) in code.lengths().take(BITS as usize) {
            for &symbol in symbols {
                for _ in 0..SIZE >> length {
                    let entry = meaning.entry(length, symbol, (at as u64) << (64 - BITS));
                    if entry.0 & 63 <= BITS {
                        entries[at] = entry;
                    }
                    at += 1;
                }
            }
        }
        Self {
            entries,
            code: code.clone(),
            meaning,
        }
    }

    /// The next code; the register has to hold it with its value.
    #[inline(always)]
    pub(crate) fn next(&self, bits: &Bits) -> Entry {
        let entry = self.entries[bits.peek(BITS)];
        if entry.is_invalid() {
            self.long(bits.next)
        } else {
            entry
        }
    }

    /// The entry of a code that the table is too narrow for.
    #[cold]
    #[inline(never)]
    fn long(&self, bits: u64) -> Entry {
        self.code.symbol(bits).map_or(Entry::ESCAPE, |(length, symbol)| {
            self.meaning.entry(length, symbol, bits)
        })
    }
}
