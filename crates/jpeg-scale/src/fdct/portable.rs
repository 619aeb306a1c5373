//! Forward transform of two blocks on arrays.

use super::block::{BlockPair, QuantizedBlock};
use super::divisors::Divisors;
use super::kernel::transform;
use crate::cosine::{COS_3PI_8, COS_3PI_16, COS_5PI_16, COS_7PI_16, COS_PI_4, COS_PI_8, COS_PI_16};
use crate::vector::portable::{V, ZERO, add, scale, sub};

/// Level shift to around zero, with 4 fractional bits.
#[inline(always)]
fn widen(row: &[u8; 16]) -> V {
    row.map(|sample| (i16::from(sample) - 128) << 4)
}

#[inline(always)]
fn transpose(rows: &[V; 8]) -> [V; 8] {
    let mut columns = [ZERO; 8];
    for (y, row) in rows.iter().enumerate() {
        for x in 0..8 {
            columns[x][y] = row[x];
            columns[x][8 + y] = row[8 + x];
        }
    }
    columns
}

#[inline(always)]
fn quantize(columns: &[V; 8], divisors: &Divisors, blocks: &mut [QuantizedBlock; 2]) {
    for (half, block) in blocks.iter_mut().enumerate() {
        block.present = 0;
        for index in 0..64 {
            let value = columns[index / 8][half * 8 + index % 8];
            let high = |a: u16, b: u16| ((u32::from(a) * u32::from(b)) >> 16) as u16;
            let magnitude = value.unsigned_abs().wrapping_add(divisors.half[index]);
            let quotient = high(high(magnitude, divisors.reciprocal[index]), divisors.scale[index]) as i16;
            block.coefficients[index] = if value < 0 { -quotient } else { quotient };
            block.present |= u64::from(quotient != 0) << index;
        }
    }
}

transform!(#[inline(always)]);
