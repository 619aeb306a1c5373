//! The tables that the scans of a progressive file look their codes up in.

use crate::huffman::Code;
use crate::window::Bits;

/// Bits that a look-up sees.
const BITS: u32 = 10;
const SIZE: usize = 1 << BITS;

/// What a code says.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume |
/// | 8–13 | bits before the magnitude: the length of the code |
/// | 16–21 | 63 − size of the magnitude |
/// | 24–28 | how many coefficients (zeros, in a scan that refines) the position advances |
/// | 31 | the end of the block; the magnitude is that of a run of blocks |
#[derive(Clone, Copy)]
pub(crate) struct Entry(u32);

impl Entry {
    const INVALID: Self = Self(0);

    fn new(length: u32, size: u32, advance: u32) -> Self {
        Self((length + size) | length << 8 | (63 - size) << 16 | advance << 24)
    }

    fn end(length: u32, size: u32) -> Self {
        Self(Self::new(length, size, 0).0 | 1 << 31)
    }

    #[inline(always)]
    pub(crate) fn is_invalid(self) -> bool {
        self.0 == 0
    }

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    pub(crate) fn consume(self) -> u64 {
        u64::from(self.0)
    }

    /// The bits of a register from the magnitude on.
    #[inline(always)]
    fn behind_code(self, next: u64) -> u64 {
        next << ((self.0 >> 8) & 63)
    }

    #[inline(always)]
    fn shift(self) -> u32 {
        (self.0 >> 16) & 63
    }

    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        ((self.0 >> 24) & 31) as usize
    }

    #[inline(always)]
    pub(crate) fn is_end(self) -> bool {
        self.0 >> 31 != 0
    }

    /// Whether there is a magnitude.
    #[inline(always)]
    pub(crate) fn is_coefficient(self) -> bool {
        self.shift() < 63
    }

    /// The value of the magnitude (ITU-T T.81, F.2.2.1), without a branch: if it begins with a zero, all ones are to
    /// be subtracted.
    #[inline(always)]
    pub(crate) fn value(self, next: u64) -> i16 {
        let magnitude = self.behind_code(next);
        let is_positive = ((magnitude as i64) >> 63) as u64;
        ((magnitude >> 1) >> self.shift()).wrapping_sub((!is_positive >> 1) >> self.shift()) as i16
    }

    /// The blocks of a run without coefficients, this one included.
    #[inline(always)]
    pub(crate) fn blocks(self, next: u64) -> usize {
        let size = 63 - self.shift();
        (1 << size) + ((self.behind_code(next) >> 1) >> self.shift()) as usize
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
    fn entry(self, length: u32, symbol: u8) -> Entry {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        match (self, run, size) {
            (Self::Dc, 0, _) => Entry::new(length, size, 1),
            (Self::First | Self::Refinement, 15, 0) => Entry::new(length, 0, 16),
            (Self::First | Self::Refinement, _, 0) => Entry::end(length, run),
            (Self::First, _, _) | (Self::Refinement, _, 1) => Entry::new(length, size, run + 1),
            (Self::Dc | Self::Refinement, _, _) => Entry::INVALID,
        }
    }
}

/// A table to look codes up in.
pub(crate) struct Lookup {
    entries: Box<[Entry; SIZE]>,
    code: Code,
    meaning: Meaning,
}

impl Lookup {
    pub(crate) fn new(code: &Code, meaning: Meaning) -> Self {
        let mut entries = Box::new([Entry::INVALID; SIZE]);
        let mut at = 0;
        for (length, symbols) in code.lengths().take(BITS as usize) {
            let width = SIZE >> length;
            for &symbol in symbols {
                entries[at..at + width].fill(meaning.entry(length, symbol));
                at += width;
            }
        }
        Self {
            entries,
            code: code.clone(),
            meaning,
        }
    }

    /// The next code; the register has to hold it.
    #[inline(always)]
    pub(crate) fn entry(&self, bits: &Bits) -> Entry {
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
    fn long(&self, next: u64) -> Entry {
        self.code.symbol(next).map_or(Entry::INVALID, |(length, symbol)| {
            self.meaning.entry(length, symbol)
        })
    }
}
