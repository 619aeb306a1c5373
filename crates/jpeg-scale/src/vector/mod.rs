//! Vectors of sixteen 16-bit numbers, and the few operations on them that the transforms need: saturating, and with the
//! same results in every backend.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;
