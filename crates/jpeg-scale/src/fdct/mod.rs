//! The forward DCT and quantisation, for two blocks side by side.
//!
//! A vector holds a row of both blocks. As in the inverse transform, the arithmetic is 16-bit fixed point with 4
//! fractional bits and is written once, over the operations of a vector.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;

use crate::header::ZIGZAG;

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

/// Division by a quantisation step as multiplication: `(x · reciprocal >> 16) · scale >> 16` for the magnitude plus
/// `half`, by columns as the blocks are.
pub(crate) struct Divisors {
    half: [u16; 64],
    reciprocal: [u16; 64],
    scale: [u16; 64],
}

impl Divisors {
    /// From steps (1 to 255) in the file's order.
    pub(crate) fn new(steps: &[u8; 64]) -> Self {
        let mut divisors = Self {
            half: [0; 64],
            reciprocal: [0; 64],
            scale: [0; 64],
        };
        for (k, &step) in steps.iter().enumerate() {
            let place = usize::from(PLACE[k]);
            // Coefficients have 4 fractional bits.
            let divisor = u32::from(step.max(1)) * 16;
            // So many bits that the reciprocal has 16: of a power of two it would have 17.
            let shift = (divisor - 1).ilog2();
            divisors.half[place] = (divisor / 2) as u16;
            divisors.reciprocal[place] = (1u32 << (16 + shift)).div_ceil(divisor) as u16;
            divisors.scale[place] = (1u32 << (16 - shift)) as u16;
        }
        divisors
    }
}

/// The transform over a vector type with its operations, `widen`, `transpose` and `quantize` in scope; `$enable` are
/// attributes for every function.
macro_rules! transform {
    ($(#[$enable:meta])*) => {
        /// Transforms and quantises two blocks.
        $(#[$enable])*
        pub(crate) fn transform(samples: &Pair, divisors: &Divisors, blocks: &mut [Block; 2]) {
            let mut rows = [ZERO; 8];
            for y in 0..8 {
                rows[y] = widen(&samples[y]);
            }
            let columns = transpose(&one_dimension(&rows));
            quantize(&one_dimension(&columns), divisors, blocks);
        }

        /// One dimension: `c[u] = Σ x[n]·cos((2n+1)uπ/16)/2`, and `Σ x[n]/√8` for `c[0]`.
        $(#[$enable])*
        fn one_dimension(x: &[V; 8]) -> [V; 8] {
            let sum = |n: usize| add(x[n], x[7 - n]);
            let difference = |n: usize| sub(x[n], x[7 - n]);
            let (s0, s1, s2, s3) = (sum(0), sum(1), sum(2), sum(3));
            let odd = [difference(0), difference(1), difference(2), difference(3)];
            // Scaled before they are added, because their sum can have 17 bits.
            let outer = scale(add(s0, s3), COS_PI_4);
            let inner = scale(add(s1, s2), COS_PI_4);
            let (outer_slope, inner_slope) = (sub(s0, s3), sub(s1, s2));
            [
                add(outer, inner),
                weigh(odd, [COS_PI_16, COS_3PI_16, COS_5PI_16, COS_7PI_16]),
                add(scale(outer_slope, COS_PI_8), scale(inner_slope, COS_3PI_8)),
                weigh(odd, [COS_3PI_16, -COS_7PI_16, -COS_PI_16, -COS_5PI_16]),
                sub(outer, inner),
                weigh(odd, [COS_5PI_16, -COS_PI_16, COS_7PI_16, COS_3PI_16]),
                sub(scale(outer_slope, COS_3PI_8), scale(inner_slope, COS_PI_8)),
                weigh(odd, [COS_7PI_16, -COS_5PI_16, COS_3PI_16, -COS_PI_16]),
            ]
        }

        $(#[$enable])*
        fn weigh(x: [V; 4], factors: [i16; 4]) -> V {
            let low = add(scale(x[0], factors[0]), scale(x[1], factors[1]));
            let high = add(scale(x[2], factors[2]), scale(x[3], factors[3]));
            add(low, high)
        }
    };
}
use transform;
