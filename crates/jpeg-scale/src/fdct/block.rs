//! Two blocks of samples, and quantised blocks.

use crate::zigzag::ZIGZAG;

/// Eight rows of samples of two blocks side by side.
pub(crate) type Pair = [[u8; 16]; 8];

/// A quantised block.
#[derive(Clone)]
pub(crate) struct Block {
    /// The coefficients, column by column: that of `cos(ux)·cos(vy)` at `8 u + v`.
    pub(crate) coefficients: [i16; 64],
    /// Which of them are not zero; the first coefficient at bit 0.
    pub(crate) present: u64,
}

impl Block {
    pub(crate) const EMPTY: Self = Self {
        coefficients: [0; 64],
        present: 0,
    };
}

/// The place in [`Block::coefficients`] of each coefficient in the file's order.
pub(crate) const PLACE: [u8; 64] = {
    let mut places = [0; 64];
    let mut k = 0;
    while k < 64 {
        places[k] = ZIGZAG[k] % 8 * 8 + ZIGZAG[k] / 8;
        k += 1;
    }
    places
};
