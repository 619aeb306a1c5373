//! Inverse DCT of N × N coefficients into N × N samples, for sixteen blocks at a time.
//!
//! An image at N/8 is the inverse transform of the N × N lowest coefficients of each block, scaled by N/8:
//! the truncated DCT. It keeps more detail than averaging boxes of full-size samples.
//!
//! Sixteen blocks are interleaved: a vector holds one coefficient of each, so that nothing is transposed
//! before the samples are written. The arithmetic is 16-bit fixed point with 4 fractional bits, saturating.
//! It is written once, as a macro over the operations of a vector, which each backend implements with the
//! same results.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod kernel;
pub(crate) mod portable;
