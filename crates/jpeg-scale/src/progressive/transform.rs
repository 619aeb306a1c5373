//! Inverse transform of a row of MCUs.

use crate::backend::{Backend, Instructions, Work};
use crate::group::{EMPTY_GROUP, Group, GroupSamples, LANES, write_samples};
use crate::planes::Plane;
use crate::zigzag::ZIGZAG;

/// Transforms the blocks of a component into samples.
pub(super) struct Transform<'a, const N: usize, const STORED: usize> {
    pub(super) backend: Backend,
    pub(super) blocks: &'a [[i16; STORED]],
    /// Blocks per row.
    pub(super) stride: usize,
    pub(super) steps: &'a [i16; 64],
    pub(super) plane: &'a mut Plane,
    /// First row of samples of the blocks.
    pub(super) top: usize,
}

impl<const N: usize, const STORED: usize> Work for Transform<'_, N, STORED> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let mut group = EMPTY_GROUP;
        let mut samples: GroupSamples = [[0; 8 * LANES]; 8];
        for (y, row) in self.blocks.chunks(self.stride).enumerate() {
            for (x, blocks) in row.chunks(LANES).enumerate() {
                gather::<N, STORED>(blocks, &mut group);
                self.backend.transform::<N>(&mut group, self.steps, &mut samples);
                write_samples::<N>(
                    &samples,
                    self.plane,
                    self.top + y * N,
                    x * LANES * N,
                    blocks.len(),
                );
            }
        }
    }
}

/// Interleaves those coefficients of up to sixteen blocks that the scale uses.
#[inline(always)]
fn gather<const N: usize, const STORED: usize>(blocks: &[[i16; STORED]], group: &mut Group) {
    let (lanes, _) = group.as_chunks_mut::<LANES>();
    for k in 0..STORED {
        let index = usize::from(ZIGZAG[k]);
        if index / 8 < N && index % 8 < N {
            for (lane, block) in lanes[k].iter_mut().zip(blocks) {
                *lane = block[k];
            }
        }
    }
}
