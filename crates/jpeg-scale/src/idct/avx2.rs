//! Inverse transform in AVX2 registers.

use std::arch::x86_64::{
    _mm256_adds_epi16, _mm256_max_epi16, _mm256_min_epi16, _mm256_mullo_epi16, _mm256_packus_epi16,
    _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpacklo_epi16,
    _mm256_unpacklo_epi32,
};

use super::kernel::transform;
use crate::cosine::{
    COS_0, COS_3PI_8, COS_3PI_16, COS_5PI_16, COS_7PI_16, COS_PI_3, COS_PI_4, COS_PI_6, COS_PI_8, COS_PI_16,
};
use crate::group::{Group, GroupSamples, LANES};
use crate::vector::avx2::{V, ZERO, add, load, scale, sub};
use crate::zigzag::ZIGZAG_INDEX;

#[target_feature(enable = "avx2")]
#[inline]
fn dequantize(a: V, step: i16) -> V {
    let value = _mm256_mullo_epi16(a, _mm256_set1_epi16(step));
    let value = _mm256_max_epi16(
        _mm256_min_epi16(value, _mm256_set1_epi16(2047)),
        _mm256_set1_epi16(-2047),
    );
    _mm256_slli_epi16::<4>(value)
}

#[target_feature(enable = "avx2")]
#[inline]
fn store<const N: usize>(row: &[V; N], samples: &mut [u8; 8 * LANES]) {
    let whole =
        |x: usize| _mm256_srai_epi16::<4>(_mm256_adds_epi16(row[x], _mm256_set1_epi16(8 + (128 << 4))));
    match N {
        1 => {
            let bytes = _mm256_packus_epi16(whole(0), ZERO);
            let [low, _, high, _]: [[u8; 8]; 4] = bytemuck::must_cast(bytes);
            samples[..8].copy_from_slice(&low);
            samples[8..16].copy_from_slice(&high);
        }
        2 => put(samples, 0, pairs(whole(0), whole(1))),
        3 | 4 => {
            let last = if N == 4 { whole(N - 1) } else { ZERO };
            let (left, right) = fours(pairs(whole(0), whole(1)), pairs(whole(2), last));
            if N == 4 {
                put(samples, 0, left);
                put(samples, 32, right);
                return;
            }
            // Each 16 bytes contain three samples of four blocks; the four bytes after these are overwritten
            // by the next 16.
            let close_up = _mm256_setr_epi8(
                0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13,
                14, -1, -1, -1, -1,
            );
            put_halves(samples, [0, 12], _mm256_shuffle_epi8(left, close_up));
            put_halves(samples, [24, 36], _mm256_shuffle_epi8(right, close_up));
        }
        _ => {
            let a = pairs(whole(0), whole(1));
            let b = pairs(whole(2), whole(3));
            let c = pairs(whole(4), whole(5));
            let d = pairs(whole(6), whole(7));
            // Each half of the register contains blocks 0 to 3 (8 to 11), and 4 to 7 (12 to 15).
            let (ab, cd) = (_mm256_unpacklo_epi16(a, b), _mm256_unpacklo_epi16(c, d));
            put_halves(samples, [0, 64], _mm256_unpacklo_epi32(ab, cd));
            put_halves(samples, [16, 80], _mm256_unpackhi_epi32(ab, cd));
            let (ab, cd) = (_mm256_unpackhi_epi16(a, b), _mm256_unpackhi_epi16(c, d));
            put_halves(samples, [32, 96], _mm256_unpacklo_epi32(ab, cd));
            put_halves(samples, [48, 112], _mm256_unpackhi_epi32(ab, cd));
        }
    }
}

/// Two samples of each block side by side, as bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn pairs(a: V, b: V) -> V {
    let interleave = _mm256_setr_epi8(
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14,
        7, 15,
    );
    _mm256_shuffle_epi8(_mm256_packus_epi16(a, b), interleave)
}

/// Four samples of each block side by side: blocks 0 to 7, and 8 to 15.
#[target_feature(enable = "avx2")]
#[inline]
fn fours(a: V, b: V) -> (V, V) {
    let (low, high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
    (
        _mm256_permute2x128_si256::<0x20>(low, high),
        _mm256_permute2x128_si256::<0x31>(low, high),
    )
}

#[target_feature(enable = "avx2")]
#[inline]
fn put(samples: &mut [u8; 8 * LANES], at: usize, value: V) {
    samples[at..at + 32].copy_from_slice(&bytemuck::must_cast::<V, [u8; 32]>(value));
}

#[target_feature(enable = "avx2")]
#[inline]
fn put_halves(samples: &mut [u8; 8 * LANES], at: [usize; 2], value: V) {
    let halves: [[u8; 16]; 2] = bytemuck::must_cast(value);
    for (at, half) in at.into_iter().zip(halves) {
        samples[at..at + 16].copy_from_slice(&half);
    }
}

transform!(#[target_feature(enable = "avx2")] #[inline]);
