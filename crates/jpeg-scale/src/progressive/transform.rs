//! Coefficients of a row of MCUs into samples.

use crate::backend::{Backend, Instructions, Work};
use crate::group::{EMPTY, Group, GroupSamples, LANES, put};
use crate::planes::Plane;
use crate::zigzag::ZIGZAG;

/// Turns a component's blocks into samples.
pub(super) struct Transform<'a, const N: usize, const K: usize> {
    pub(super) backend: Backend,
    pub(super) blocks: &'a [[i16; K]],
    /// Blocks in a row.
    pub(super) stride: usize,
    pub(super) steps: &'a [i16; 64],
    pub(super) plane: &'a mut Plane,
    /// The row of samples that they begin at.
    pub(super) top: usize,
}

impl<const N: usize, const K: usize> Work for Transform<'_, N, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let mut group = EMPTY;
        let mut samples: GroupSamples = [[0; 8 * LANES]; 8];
        for (y, row) in self.blocks.chunks(self.stride).enumerate() {
            for (x, blocks) in row.chunks(LANES).enumerate() {
                gather::<N, K>(blocks, &mut group);
                self.backend.transform::<N>(&mut group, self.steps, &mut samples);
                put::<N>(
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

/// Interleaves the wanted coefficients of up to sixteen blocks.
#[inline(always)]
fn gather<const N: usize, const K: usize>(blocks: &[[i16; K]], group: &mut Group) {
    let (lanes, _) = group.as_chunks_mut::<LANES>();
    for k in 0..K {
        let place = usize::from(ZIGZAG[k]);
        if place / 8 < N && place % 8 < N {
            for (lane, block) in lanes[k].iter_mut().zip(blocks) {
                *lane = block[k];
            }
        }
    }
}
