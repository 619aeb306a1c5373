//! Forward transform of two blocks in AVX2 registers, one in each half.

use std::arch::x86_64::{
    _mm256_abs_epi16, _mm256_add_epi16, _mm256_cmpeq_epi8, _mm256_cvtepu8_epi16, _mm256_movemask_epi8,
    _mm256_mulhi_epu16, _mm256_packs_epi16, _mm256_set1_epi16, _mm256_sign_epi16, _mm256_slli_epi16,
    _mm256_sub_epi16, _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi16, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::block::{BlockPair, QuantizedBlock};
use super::divisors::Divisors;
use super::kernel::transform;
use crate::cosine::{COS_3PI_8, COS_3PI_16, COS_5PI_16, COS_7PI_16, COS_PI_4, COS_PI_8, COS_PI_16};
use crate::vector::avx2::{V, ZERO, add, scale, sub};

/// Level shift to around zero, with 4 fractional bits.
#[target_feature(enable = "avx2")]
#[inline]
fn widen(row: &[u8; 16]) -> V {
    let samples = _mm256_cvtepu8_epi16(bytemuck::must_cast(*row));
    _mm256_slli_epi16::<4>(_mm256_sub_epi16(samples, _mm256_set1_epi16(128)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn transpose(rows: &[V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = *rows;
    let (ab, cd) = (_mm256_unpacklo_epi16(a, b), _mm256_unpacklo_epi16(c, d));
    let (ef, gh) = (_mm256_unpacklo_epi16(e, f), _mm256_unpacklo_epi16(g, h));
    let (ab_right, cd_right) = (_mm256_unpackhi_epi16(a, b), _mm256_unpackhi_epi16(c, d));
    let (ef_right, gh_right) = (_mm256_unpackhi_epi16(e, f), _mm256_unpackhi_epi16(g, h));
    let [x0, x1, x2, x3] = transpose_fours(ab, cd, ef, gh);
    let [x4, x5, x6, x7] = transpose_fours(ab_right, cd_right, ef_right, gh_right);
    [x0, x1, x2, x3, x4, x5, x6, x7]
}

/// Four columns from pairs of rows.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose_fours(ab: V, cd: V, ef: V, gh: V) -> [V; 4] {
    let (left_top, left_bottom) = (_mm256_unpacklo_epi32(ab, cd), _mm256_unpacklo_epi32(ef, gh));
    let (right_top, right_bottom) = (_mm256_unpackhi_epi32(ab, cd), _mm256_unpackhi_epi32(ef, gh));
    [
        _mm256_unpacklo_epi64(left_top, left_bottom),
        _mm256_unpackhi_epi64(left_top, left_bottom),
        _mm256_unpacklo_epi64(right_top, right_bottom),
        _mm256_unpackhi_epi64(right_top, right_bottom),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn quantize(columns: &[V; 8], divisors: &Divisors, blocks: &mut [QuantizedBlock; 2]) {
    let mut present = [0; 2];
    for (index, columns) in columns.as_chunks::<2>().0.iter().enumerate() {
        let mut quantized = [ZERO; 2];
        for (x, column) in columns.iter().enumerate() {
            let from = (2 * index + x) * 8;
            let magnitude = _mm256_add_epi16(_mm256_abs_epi16(*column), in_both_halves(&divisors.half, from));
            let quotient = _mm256_mulhi_epu16(magnitude, in_both_halves(&divisors.reciprocal, from));
            let quotient = _mm256_mulhi_epu16(quotient, in_both_halves(&divisors.scale, from));
            quantized[x] = _mm256_sign_epi16(quotient, *column);
            let halves: [[i16; 8]; 2] = bytemuck::must_cast(quantized[x]);
            for (block, half) in blocks.iter_mut().zip(halves) {
                block.coefficients[from..from + 8].copy_from_slice(&half);
            }
        }
        let bytes = _mm256_packs_epi16(quantized[0], quantized[1]);
        let nonzero = !_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, ZERO)) as u32;
        present[0] |= u64::from(nonzero & 0xffff) << (16 * index);
        present[1] |= u64::from(nonzero >> 16) << (16 * index);
    }
    for (block, present) in blocks.iter_mut().zip(present) {
        block.present = present;
    }
}

/// Eight numbers, repeated in both halves.
#[target_feature(enable = "avx2")]
#[inline]
fn in_both_halves(numbers: &[u16; 64], from: usize) -> V {
    let eight = numbers[from..].first_chunk::<8>().copied().unwrap_or_default();
    bytemuck::must_cast([eight, eight])
}

transform!(#[target_feature(enable = "avx2")] #[inline]);
