//! Resizing of planes with Lanczos3.
//!
//! Columns first, for they need no shuffling: a row of the target is the weighted sum of some rows of the source, with
//! [`LINE_BITS`] fractional bits; then each of its samples is a weighted sum of some of that row. Nothing is kept of the
//! picture but that row. All arithmetic is on integers, so every backend gives the same bytes.

pub(crate) mod average;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;
pub(crate) mod weights;
