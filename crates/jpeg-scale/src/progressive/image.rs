//! A progressive image.

use super::blocks::{McuRow, offsets};
use super::scan::RunningScan;
use super::transform::Transform;
use crate::backend::Backend;
use crate::error::Damage;
use crate::layout::Layout;
use crate::planes::Plane;
use crate::script::ScanHeader;
use crate::window::{self, Window, WindowBuffer};

/// Windows kept for the next image. Ordinary scan scripts have fewer scans.
const MAX_KEPT_WINDOWS: usize = 16;

/// Memory that is reused between images.
#[derive(Default)]
pub(crate) struct ProgressiveBuffers {
    windows: Vec<Box<WindowBuffer>>,
    coefficients: Vec<i16>,
    /// For each block, the set of its non-zero coefficients.
    nonzero: Vec<u64>,
}

/// A whole image at `N`/8; `STORED` is [`STORED_COEFFICIENTS`](crate::layout::STORED_COEFFICIENTS) for `N`.
pub(crate) struct ProgressiveImage<'a, const N: usize, const STORED: usize> {
    pub(crate) backend: Backend,
    pub(crate) source: &'a [u8],
    pub(crate) buffers: &'a mut ProgressiveBuffers,
    pub(crate) headers: &'a [&'a ScanHeader],
    pub(crate) layout: &'a Layout,
    /// Quantization steps of each component in zig-zag order.
    pub(crate) steps: &'a [[i16; 64]],
    pub(crate) planes: &'a mut [Plane],
}

impl<const N: usize, const STORED: usize> ProgressiveImage<'_, N, STORED> {
    /// Decodes the image and returns its damage.
    pub(crate) fn run(self) -> Option<Damage> {
        let ProgressiveBuffers {
            windows,
            coefficients,
            nonzero,
        } = self.buffers;
        let layout = self.layout;
        if windows.len() < self.headers.len() {
            windows.resize_with(self.headers.len(), window::new_buffer);
        }
        let mut scans: Vec<_> = self
            .headers
            .iter()
            .zip(windows.iter_mut())
            .map(|(header, window)| RunningScan::new(header, Window::new(window, self.source, header.data)))
            .collect();
        coefficients.resize(layout.blocks_per_mcu_row() * STORED, 0);
        nonzero.resize(layout.blocks_per_mcu_row(), 0);
        let offsets = offsets(layout);

        for row in 0..layout.mcu_rows {
            coefficients.fill(0);
            nonzero.fill(0);
            let mut blocks: McuRow<'_, STORED> = McuRow {
                coefficients: coefficients.as_chunks_mut().0,
                nonzero,
                offsets: &offsets,
            };
            for scan in &mut scans {
                if !scan.stream.is_exhausted {
                    scan.decode_mcu_row(self.backend, &mut blocks, layout, row);
                }
            }
            for (index, component) in layout.components.iter().enumerate() {
                self.backend.run(Transform::<N, STORED> {
                    backend: self.backend,
                    blocks: blocks.component_blocks(index, component),
                    stride: offsets[index].1,
                    steps: &self.steps[index],
                    plane: &mut self.planes[index],
                    top: row * component.vertical * N,
                });
            }
        }
        let damages = scans.into_iter().map(RunningScan::finish);
        let damage = damages.fold(None, Damage::first_of);
        windows.truncate(MAX_KEPT_WINDOWS);
        damage
    }
}
