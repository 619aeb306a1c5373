//! Entries of the look-up tables of sequential scans.

use crate::group::LANES;

/// Lookahead bits of an [`AcLookup`].
pub(crate) const LOOKUP_BITS: u32 = 11;
pub(super) const LOOKUP_SIZE: usize = 1 << LOOKUP_BITS;

/// Lookahead bits of the DC look-up: fewer, because a block has one DC coefficient.
pub(crate) const DC_BITS: u32 = 9;
pub(super) const DC_SIZE: usize = 1 << DC_BITS;

/// Added by [`Entry`] and [`SkipEntry`] to the position at the end of a block: above every valid position.
pub(crate) const END_OF_BLOCK: usize = 128;

/// Result of one look-up: up to two coefficients and the end of the block.
///
/// The first coefficient is stored as a value. The second is extracted from the bits, so that its magnitude
/// may extend beyond the lookahead bits. A missing coefficient is a zero that is written to a position whose
/// coefficient is zero. Positions are multiplied by 16, the number of interleaved blocks in a group.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume |
/// | 8–13 | bits before the second coefficient's magnitude |
/// | 16–21 | 63 − size of the second coefficient |
/// | 24–31 | value of the first coefficient |
/// | 32–43 | advance of the position (including `END_OF_BLOCK`) |
/// | 47–54 | offset of the first coefficient |
/// | 55–63 | offset of the second coefficient |
#[derive(Clone, Copy)]
pub(crate) struct Entry(pub(super) u64);

pub(super) struct EntryParts {
    pub(super) consume: u32,
    pub(super) before_magnitude: u32,
    pub(super) size: u32,
    pub(super) first: i32,
    pub(super) advance: usize,
    pub(super) first_offset: usize,
    pub(super) second_offset: usize,
}

impl EntryParts {
    pub(super) fn pack(&self) -> Entry {
        Entry(
            u64::from(self.consume)
                | u64::from(self.before_magnitude) << 8
                | u64::from(63 - self.size) << 16
                | u64::from(self.first as u8) << 24
                | (self.advance as u64 * LANES as u64) << 32
                | (self.first_offset as u64 * LANES as u64) << 47
                | (self.second_offset as u64 * LANES as u64) << 55,
        )
    }
}

impl Entry {
    /// A code that is invalid or longer than the lookahead bits.
    pub(super) const ESCAPE: Self = Self(0);

    #[inline(always)]
    pub(crate) fn is_escape(self) -> bool {
        self.0 == 0
    }

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    pub(crate) fn consume(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn before_magnitude(self) -> u64 {
        (self.0 >> 8) & 63
    }

    #[inline(always)]
    pub(crate) fn magnitude_shift(self) -> u64 {
        (self.0 >> 16) & 63
    }

    #[inline(always)]
    pub(crate) fn first(self) -> i16 {
        i16::from((self.0 >> 24) as i8)
    }

    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        ((self.0 >> 32) & 0xfff) as usize
    }

    #[inline(always)]
    pub(crate) fn first_offset(self) -> usize {
        ((self.0 >> 47) & 0xff) as usize
    }

    #[inline(always)]
    pub(crate) fn second_offset(self) -> usize {
        (self.0 >> 55) as usize
    }
}

/// Look-up table of AC coefficients.
pub(crate) type AcLookup = [Entry; LOOKUP_SIZE];

/// Result of one look-up for the end of the block alone: any number of coefficients.
///
/// Bits 0–5: bits to consume; bits 6–15: advance of the position, not multiplied.
#[derive(Clone, Copy)]
pub(crate) struct SkipEntry(pub(super) u16);

impl SkipEntry {
    #[inline(always)]
    pub(crate) fn is_escape(self) -> bool {
        self.0 == 0
    }

    /// Bits to consume, in the low 6 bits.
    #[inline(always)]
    pub(crate) fn consume(self) -> u64 {
        u64::from(self.0)
    }

    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        usize::from(self.0 >> 6) * LANES
    }
}
