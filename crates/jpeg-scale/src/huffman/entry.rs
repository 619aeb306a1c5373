//! Entries of the look-up tables of sequential scans.

use crate::group::LANES;

/// Bits that one look-up in a [`Lookup`] sees.
pub(crate) const LOOKUP_BITS: u32 = 11;
pub(super) const LOOKUP_SIZE: usize = 1 << LOOKUP_BITS;

/// Bits that the look-up of a DC coefficient sees: fewer, because there is but one in a block.
pub(crate) const DC_BITS: u32 = 9;
pub(super) const DC_SIZE: usize = 1 << DC_BITS;

/// What [`Entry`] and [`Skip`] add to the position at the end of a block: above every real position.
pub(crate) const END_OF_BLOCK: usize = 128;

/// The outcome of one look-up: up to two coefficients and the end of the block.
///
/// The first coefficient is known as a value; the second is cut out of the bits, so that its magnitude may lie beyond
/// those that were looked up. A missing coefficient is a zero that is written to a place which is zero anyway.
/// Positions are multiplied by 16, the number of blocks that lie interleaved in a group.
///
/// | bits | |
/// |---|---|
/// | 0–5 | bits to consume |
/// | 8–13 | bits before the second coefficient's magnitude |
/// | 16–21 | 63 − size of the second coefficient |
/// | 24–31 | value of the first coefficient |
/// | 32–43 | how far the position advances (with `END_OF_BLOCK`) |
/// | 47–54 | offset of the first coefficient |
/// | 55–63 | offset of the second coefficient |
#[derive(Clone, Copy)]
pub(crate) struct Entry(pub(super) u64);

pub(super) struct Parts {
    pub(super) consume: u32,
    pub(super) before_magnitude: u32,
    pub(super) size: u32,
    pub(super) first: i32,
    pub(super) advance: usize,
    pub(super) first_at: usize,
    pub(super) second_at: usize,
}

impl Parts {
    pub(super) fn pack(&self) -> Entry {
        Entry(
            u64::from(self.consume)
                | u64::from(self.before_magnitude) << 8
                | u64::from(63 - self.size) << 16
                | u64::from(self.first as u8) << 24
                | (self.advance as u64 * LANES as u64) << 32
                | (self.first_at as u64 * LANES as u64) << 47
                | (self.second_at as u64 * LANES as u64) << 55,
        )
    }
}

impl Entry {
    /// The code is longer than a look-up, or invalid.
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
    pub(crate) fn first_at(self) -> usize {
        ((self.0 >> 47) & 0xff) as usize
    }

    #[inline(always)]
    pub(crate) fn second_at(self) -> usize {
        (self.0 >> 55) as usize
    }
}

/// Look-up of AC coefficients.
pub(crate) type Lookup = [Entry; LOOKUP_SIZE];

/// The outcome of one look-up where only the end of the block is wanted: up to many coefficients.
///
/// Bits 0–5: bits to consume; bits 6–15: how far the position advances, not multiplied.
#[derive(Clone, Copy)]
pub(crate) struct Skip(pub(super) u16);

impl Skip {
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
