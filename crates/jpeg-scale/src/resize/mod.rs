//! Kernels of the resizer: Lanczos3 in two passes.
//!
//! The vertical pass comes first, because it needs no shuffling: a row of the target is the weighted sum of
//! rows of the source, with [`LINE_BITS`](weights::LINE_BITS) fractional bits. Each sample of the row is then
//! a weighted sum of samples of that line. Only one line is stored. The arithmetic is on integers, so that
//! every backend gives the same bytes.

pub(crate) mod average;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;
pub(crate) mod weights;
