//! Division by quantization steps.

use super::block::COLUMN_MAJOR_INDEX;

/// Division by a quantization step as multiplication: the magnitude `x` plus `half` is divided as `(x ·
/// reciprocal >> 16) · scale >> 16`. In column-major order, as the blocks.
pub(crate) struct Divisors {
    pub(super) half: [u16; 64],
    pub(super) reciprocal: [u16; 64],
    pub(super) scale: [u16; 64],
}

impl Divisors {
    /// Divisors for steps from 1 to 255 in zig-zag order.
    pub(crate) fn new(steps: &[u8; 64]) -> Self {
        let mut divisors = Self {
            half: [0; 64],
            reciprocal: [0; 64],
            scale: [0; 64],
        };
        for (k, &step) in steps.iter().enumerate() {
            let index = usize::from(COLUMN_MAJOR_INDEX[k]);
            // Coefficients have 4 fractional bits.
            let divisor = u32::from(step.max(1)) * 16;
            // The largest shift for which the reciprocal has 16 bits; that of a power of two would have 17.
            let shift = (divisor - 1).ilog2();
            divisors.half[index] = (divisor / 2) as u16;
            divisors.reciprocal[index] = (1u32 << (16 + shift)).div_ceil(divisor) as u16;
            divisors.scale[index] = (1u32 << (16 - shift)) as u16;
        }
        divisors
    }
}
