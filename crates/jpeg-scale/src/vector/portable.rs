//! Vectors as arrays.

use crate::group::LANES;

pub(crate) type V = [i16; LANES];
pub(crate) const ZERO: V = [0; LANES];

#[inline(always)]
pub(crate) fn load(lanes: &V) -> V {
    *lanes
}

#[inline(always)]
pub(crate) fn add(mut a: V, b: V) -> V {
    for i in 0..LANES {
        a[i] = a[i].saturating_add(b[i]);
    }
    a
}

#[inline(always)]
pub(crate) fn sub(mut a: V, b: V) -> V {
    for i in 0..LANES {
        a[i] = a[i].saturating_sub(b[i]);
    }
    a
}

/// Multiplies by `factor / 32768`, rounded.
#[inline(always)]
pub(crate) fn scale(mut a: V, factor: i16) -> V {
    for lane in &mut a {
        *lane = ((i32::from(*lane) * i32::from(factor) + (1 << 14)) >> 15) as i16;
    }
    a
}
