//! Vectors of sixteen 16-bit numbers with the operations that the transforms need: saturating, and with the
//! same results in every backend.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;
