//! Forward DCT and quantization of two adjacent blocks.
//!
//! A vector holds a row of both blocks. As in the inverse transform, the arithmetic is 16-bit fixed point
//! with 4 fractional bits and is written once, over the operations of a vector.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod block;
mod divisors;
mod kernel;
pub(crate) mod portable;

pub(crate) use block::{BlockPair, COLUMN_MAJOR_INDEX, QuantizedBlock};
pub(crate) use divisors::Divisors;
