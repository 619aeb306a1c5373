//! Vectors as AVX2 registers.

use std::arch::x86_64::{
    __m256i, _mm256_adds_epi16, _mm256_mulhrs_epi16, _mm256_set1_epi16, _mm256_subs_epi16,
};

use crate::group::LANES;

pub(crate) type V = __m256i;
/// Converted from an array, because the intrinsic for zero is not a constant function.
pub(crate) const ZERO: V = bytemuck::must_cast([0i16; LANES]);

#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn load(lanes: &[i16; LANES]) -> V {
    bytemuck::must_cast(*lanes)
}

#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn add(a: V, b: V) -> V {
    _mm256_adds_epi16(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn sub(a: V, b: V) -> V {
    _mm256_subs_epi16(a, b)
}

/// Multiplies by `factor / 32768`, rounded.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn scale(a: V, factor: i16) -> V {
    _mm256_mulhrs_epi16(a, _mm256_set1_epi16(factor))
}
