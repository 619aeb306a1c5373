//! Quantisation steps as multiplications.

use super::block::PLACE;

/// Division by a quantisation step as multiplication: `(x · reciprocal >> 16) · scale >> 16` for the magnitude plus
/// `half`, by columns as the blocks are.
pub(crate) struct Divisors {
    pub(super) half: [u16; 64],
    pub(super) reciprocal: [u16; 64],
    pub(super) scale: [u16; 64],
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
