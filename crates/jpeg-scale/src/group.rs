//! Groups of sixteen interleaved blocks and their samples.

use crate::planes::Plane;

/// Blocks that lie interleaved in a group: coefficient `k` of a block is `LANES * k` behind its first.
pub(crate) const LANES: usize = 16;

/// Sixteen neighbouring blocks of a component: coefficient `k` of block `lane` is at `16 k + lane`. Beyond the 64
/// coefficients is room for those that damaged data put behind the end, and a little that keeps the beginnings of groups
/// apart in the CPU's caches.
pub(crate) type Group = [i16; 133 * LANES];

/// A group without coefficients.
pub(crate) const EMPTY: Group = [0; 133 * LANES];

/// Rows of samples of sixteen blocks side by side.
pub(crate) type GroupSamples = [[u8; 8 * LANES]; 8];

/// Copies the samples of the first `blocks` blocks to their place in the plane.
#[inline(always)]
pub(crate) fn put<const N: usize>(
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
            // In pieces of a known size, which need no call.
            let pieces = to.as_chunks_mut::<LANES>().0;
            for (to, from) in pieces.iter_mut().zip(row.as_chunks::<LANES>().0).take(N) {
                *to = *from;
            }
        } else {
            to.copy_from_slice(&row[..blocks * N]);
        }
    }
}
