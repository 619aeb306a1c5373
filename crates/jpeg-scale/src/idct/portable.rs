//! Inverse transform on arrays.

use super::kernel::transform;
use crate::cosine::{
    COS_0, COS_3PI_8, COS_3PI_16, COS_5PI_16, COS_7PI_16, COS_PI_3, COS_PI_4, COS_PI_6, COS_PI_8, COS_PI_16,
};
use crate::group::{Group, GroupSamples, LANES};
use crate::vector::portable::{V, ZERO, add, load, scale, sub};
use crate::zigzag::ZIGZAG_INDEX;

/// Multiplies by a quantization step; the result has 4 fractional bits.
#[inline(always)]
fn dequantize(mut a: V, step: i16) -> V {
    for lane in &mut a {
        *lane = lane.wrapping_mul(step).clamp(-2047, 2047) << 4;
    }
    a
}

#[inline(always)]
fn store<const N: usize>(row: &[V; N], samples: &mut [u8; 8 * LANES]) {
    for (x, lanes) in row.iter().enumerate() {
        for (block, &value) in lanes.iter().enumerate() {
            samples[block * N + x] = (value.saturating_add(8 + (128 << 4)) >> 4).clamp(0, 255) as u8;
        }
    }
}

transform!(#[inline(always)]);
