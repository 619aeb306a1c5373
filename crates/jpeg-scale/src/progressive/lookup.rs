//! Look-up tables of progressive scans.

use crate::huffman::{Code, extend};
use crate::window::BitReader;

/// Lookahead bits of a look-up.
pub(super) const BITS: u32 = 11;
pub(super) const SIZE: usize = 1 << BITS;

/// A code and the value after it.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume, including those of the value |
/// | 8–12 | advance of the position in coefficients (in a refinement scan, in zero coefficients) |
/// | 13 | a coefficient that is not zero |
/// | 14 | a negative coefficient |
/// | 15 | an end-of-band run, or an escape |
/// | 16–31 | value of the coefficient, or length of the end-of-band run in blocks |
#[derive(Clone, Copy)]
pub(crate) struct Entry(u32);

impl Entry {
    /// A code that is invalid or, with its value, longer than the lookahead bits.
    const ESCAPE: Self = Self(1 << 15);

    fn new(consume: u32, advance: u32, value: i32) -> Self {
        let flags = u32::from(value != 0) << 13 | u32::from(value < 0) << 14;
        Self(consume | advance << 8 | flags | (value as u32) << 16)
    }

    fn end(consume: u32, blocks: u32) -> Self {
        Self(consume | 1 << 15 | blocks << 16)
    }

    /// Returns true for an end-of-band run or an escape, false for a coefficient or a run of zeros.
    #[inline(always)]
    pub(crate) fn is_not_coefficient(self) -> bool {
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

    /// All ones for a coefficient, otherwise zero.
    #[inline(always)]
    pub(crate) fn coefficient(self) -> u64 {
        i64::from((self.0 << 18) as i32 >> 31) as u64
    }

    /// All ones for a negative coefficient, otherwise zero.
    #[inline(always)]
    pub(crate) fn negative_coefficient(self) -> u64 {
        i64::from((self.0 << 17) as i32 >> 31) as u64
    }

    /// Length of an end-of-band run in blocks, including the current one.
    #[inline(always)]
    pub(crate) fn eob_run(self) -> usize {
        (self.0 >> 16) as usize
    }
}

/// Meaning of the symbols of a table.
#[derive(Clone, Copy)]
pub(crate) enum ScanKind {
    /// Sizes of DC differences.
    Dc,
    /// AC coefficients and end-of-band runs.
    First,
    /// Newly non-zero AC coefficients and end-of-band runs.
    Refinement,
}

impl ScanKind {
    /// Entry for a symbol whose code of `length` bits `bits` begin with.
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

/// A look-up table for the codes of one Huffman table.
pub(crate) struct Lookup {
    pub(crate) entries: Box<Entries>,
    code: Code,
    kind: ScanKind,
}

pub(crate) type Entries = [Entry; SIZE];

impl Lookup {
    pub(crate) fn new(code: &Code, kind: ScanKind) -> Self {
        let mut entries = Box::new([Entry::ESCAPE; SIZE]);
        let mut at = 0;
        for (length, symbols) in code.lengths().take(BITS as usize) {
            for &symbol in symbols {
                for _ in 0..SIZE >> length {
                    let entry = kind.entry(length, symbol, (at as u64) << (64 - BITS));
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
            kind,
        }
    }

    /// The next code; the register has to contain it with its value.
    #[inline(always)]
    pub(crate) fn next(&self, bits: &BitReader) -> Entry {
        let entry = self.entries[bits.peek(BITS)];
        if entry.is_invalid() {
            self.long_code(bits.next)
        } else {
            entry
        }
    }

    /// Entry of a code that is longer than the lookahead bits.
    #[cold]
    #[inline(never)]
    fn long_code(&self, bits: u64) -> Entry {
        self.code.symbol(bits).map_or(Entry::ESCAPE, |(length, symbol)| {
            self.kind.entry(length, symbol, bits)
        })
    }
}
