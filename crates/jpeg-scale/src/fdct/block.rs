//! Pairs of blocks of samples, and quantized blocks.

use crate::zigzag::ZIGZAG;

/// Eight rows of samples of two adjacent blocks.
pub(crate) type BlockPair = [[u8; 16]; 8];

/// A quantized block.
#[derive(Clone)]
pub(crate) struct QuantizedBlock {
    /// Coefficients in column-major order: that of `cos(ux)·cos(vy)` is at `8 u + v`.
    pub(crate) coefficients: [i16; 64],
    /// Set of the non-zero coefficients; the first coefficient is bit 0.
    pub(crate) present: u64,
}

impl QuantizedBlock {
    pub(crate) const EMPTY: Self = Self {
        coefficients: [0; 64],
        present: 0,
    };
}

/// Index in [`QuantizedBlock::coefficients`] of each coefficient in zig-zag order.
pub(crate) const COLUMN_MAJOR_INDEX: [u8; 64] = {
    let mut indices = [0; 64];
    let mut k = 0;
    while k < 64 {
        indices[k] = ZIGZAG[k] % 8 * 8 + ZIGZAG[k] / 8;
        k += 1;
    }
    indices
};
