//! A progressive image.

use super::blocks::{Blocks, places};
use super::scan::Running;
use super::transform::Transform;
use crate::backend::Backend;
use crate::error::Damage;
use crate::layout::Layout;
use crate::planes::Plane;
use crate::script::Pass;
use crate::window::{self, Bytes, Window};

/// Windows that are kept for the next picture: as many as usual scripts have scans, and some.
const KEPT_WINDOWS: usize = 16;

/// Memory that is reused from picture to picture.
#[derive(Default)]
pub(crate) struct Memory {
    windows: Vec<Box<Bytes>>,
    coefficients: Vec<i16>,
    /// Of each block, the coefficients that are not zero.
    sets: Vec<u64>,
}

/// A whole picture at `N`/8 of its size; `K` is [`STORED`] for `N`.
pub(crate) struct Progressive<'a, const N: usize, const K: usize> {
    pub(crate) backend: Backend,
    pub(crate) source: &'a [u8],
    pub(crate) memory: &'a mut Memory,
    pub(crate) passes: &'a [&'a Pass],
    pub(crate) layout: &'a Layout,
    /// Each component's quantisation steps in the file's order.
    pub(crate) steps: &'a [[i16; 64]],
    pub(crate) planes: &'a mut [Plane],
}

impl<const N: usize, const K: usize> Progressive<'_, N, K> {
    /// Decodes it, and tells what was wrong.
    pub(crate) fn run(self) -> Option<Damage> {
        let Memory {
            windows,
            coefficients,
            sets,
        } = self.memory;
        let layout = self.layout;
        if windows.len() < self.passes.len() {
            windows.resize_with(self.passes.len(), window::bytes);
        }
        let mut running: Vec<_> = self
            .passes
            .iter()
            .zip(windows.iter_mut())
            .map(|(pass, window)| Running::new(pass, Window::new(window, self.source, pass.data)))
            .collect();
        coefficients.resize(layout.blocks() * K, 0);
        sets.resize(layout.blocks(), 0);
        let places = places(layout);

        for row in 0..layout.rows {
            coefficients.fill(0);
            sets.fill(0);
            let mut blocks: Blocks<'_, K> = Blocks {
                coefficients: coefficients.as_chunks_mut().0,
                sets,
                places: &places,
            };
            for scan in &mut running {
                if !scan.stream.ended {
                    scan.row(self.backend, &mut blocks, layout, row);
                }
            }
            for (index, component) in layout.components.iter().enumerate() {
                self.backend.run(Transform::<N, K> {
                    backend: self.backend,
                    blocks: blocks.of(index, component),
                    stride: places[index].1,
                    steps: &self.steps[index],
                    plane: &mut self.planes[index],
                    top: row * component.vertical * N,
                });
            }
        }
        let damages = running.into_iter().map(Running::finish);
        let damage = damages.fold(None, Damage::first_of);
        windows.truncate(KEPT_WINDOWS);
        damage
    }
}
