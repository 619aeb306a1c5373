//! The inverse DCT of N × N coefficients into N × N samples, for sixteen blocks at a time.
//!
//! A picture at N/8 of its size is the inverse transform of each block's lowest N × N coefficients, scaled by N/8: the
//! truncated DCT. It keeps more detail than averaging boxes of full-size samples.
//!
//! Sixteen blocks lie side by side: a vector holds one number of each, so nothing needs to be transposed before the
//! samples. The arithmetic is 16-bit fixed point with 4 fractional bits, saturating, and is written once, as a macro
//! over the operations of a vector; each backend supplies these with the same results.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod kernel;
pub(crate) mod portable;
