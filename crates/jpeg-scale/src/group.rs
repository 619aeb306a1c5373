//! Groups of sixteen interleaved blocks and their samples.

use crate::planes::Plane;

/// Interleaved blocks in a group: coefficient `k` of a block is `LANES * k` after its first.
pub(crate) const LANES: usize = 16;

/// Sixteen adjacent blocks of a component: coefficient `k` of block `lane` is at `16 k + lane`. The room
/// after the 64 coefficients takes those that damaged data place beyond the end of a block, and keeps the
/// starts of groups on different cache sets.
pub(crate) type Group = [i16; 133 * LANES];

/// A group whose coefficients are zero.
pub(crate) const EMPTY_GROUP: Group = [0; 133 * LANES];

/// Rows of samples of sixteen blocks side by side.
pub(crate) type GroupSamples = [[u8; 8 * LANES]; 8];

/// Copies the samples of the first `blocks` blocks into the plane.
#[inline(always)]
pub(crate) fn write_samples<const N: usize>(
    samples: &GroupSamples,
    plane: &mut Plane,
    top: usize,
    left: usize,
    blocks: usize,
) {
    for (y, row) in samples[..N].iter().enumerate() {
        let to = (top + y) * plane.stride + left;
        let to = &mut plane.data[to..to + blocks * N];
        if blocks == LANES {
            // Chunks of constant size are copied without a call of `memcpy`.
            let chunks = to.as_chunks_mut::<LANES>().0;
            for (to, from) in chunks.iter_mut().zip(row.as_chunks::<LANES>().0).take(N) {
                *to = *from;
            }
        } else {
            to.copy_from_slice(&row[..blocks * N]);
        }
    }
}
