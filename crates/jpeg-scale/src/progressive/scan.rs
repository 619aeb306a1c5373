//! One scan of a progressive file.

use super::blocks::McuRow;
use super::dc;
use super::first::FirstScan;
use super::lookup::{Lookup, ScanKind};
use super::pairs::Pairs;
use super::refine::RefinementScan;
use crate::backend::Backend;
use crate::error::Damage;
use crate::layout::Layout;
use crate::script::{ScanComponent, ScanHeader};
use crate::stream::Stream;
use crate::window::Window;

/// A scan that is being decoded.
pub(super) struct RunningScan<'a> {
    header: &'a ScanHeader,
    pub(super) stream: Stream<'a>,
    /// Tables of a DC scan, for each of its components.
    dc: Vec<Option<Lookup>>,
    /// Tables of an AC scan.
    ac: Option<(Lookup, Box<Pairs>)>,
}

impl<'a> RunningScan<'a> {
    pub(super) fn new(header: &'a ScanHeader, window: Window<'a>) -> Self {
        let (dc, ac) = if header.spectral_start == 0 {
            let table = |scan_component: &ScanComponent| {
                scan_component
                    .code
                    .as_ref()
                    .map(|code| Lookup::new(code, ScanKind::Dc))
            };
            (header.components.iter().map(table).collect(), None)
        } else {
            let kind = if header.is_refinement {
                ScanKind::Refinement
            } else {
                ScanKind::First
            };
            let code = header
                .components
                .first()
                .and_then(|scan_component| scan_component.code.as_ref());
            let lookup = code.map(|code| Lookup::new(code, kind));
            (Vec::new(), lookup.map(Lookup::with_pairs))
        };
        Self {
            header,
            stream: Stream::new(window, header.restart_interval.into()),
            dc,
            ac,
        }
    }

    /// Decodes a row of MCUs.
    pub(super) fn decode_mcu_row<const STORED: usize>(
        &mut self,
        backend: Backend,
        blocks: &mut McuRow<'_, STORED>,
        layout: &Layout,
        row: usize,
    ) {
        let [scan_component] = self.header.components.as_slice() else {
            return backend.run(dc::Interleaved {
                stream: &mut self.stream,
                lookups: &self.dc,
                header: self.header,
                blocks,
                layout,
            });
        };
        let component = &layout.components[scan_component.index];
        let (from, stride) = blocks.offsets[scan_component.index];
        for y in 0..component.vertical {
            if row * component.vertical + y < component.blocks_high {
                let range = from + y * stride..from + y * stride + component.blocks_wide;
                self.decode_block_row(
                    backend,
                    &mut blocks.coefficients[range.clone()],
                    &mut blocks.nonzero[range],
                );
            }
        }
    }

    /// Decodes a row of blocks of a scan with one component.
    fn decode_block_row<const STORED: usize>(
        &mut self,
        backend: Backend,
        mut coefficients: &mut [[i16; STORED]],
        mut nonzero: &mut [u64],
    ) {
        while !coefficients.is_empty() {
            if self.stream.mcus_to_restart == 0 {
                self.stream.restart();
            }
            if self.stream.is_exhausted {
                return;
            }
            let count = self.stream.mcus_to_restart.min(coefficients.len());
            self.stream.mcus_to_restart -= count;
            let (now, later) = coefficients.split_at_mut(count);
            let (now_nonzero, later_nonzero) = nonzero.split_at_mut(count);
            (coefficients, nonzero) = (later, later_nonzero);
            if !self.stream.is_skipping {
                self.decode_blocks(backend, now, now_nonzero);
            }
        }
    }

    /// Decodes adjacent blocks of one restart interval.
    fn decode_blocks<const STORED: usize>(
        &mut self,
        backend: Backend,
        coefficients: &mut [[i16; STORED]],
        nonzero: &mut [u64],
    ) {
        let (stream, header) = (&mut self.stream, self.header);
        let Some((lookup, pairs)) = &self.ac else {
            return backend.run(dc::SingleComponent {
                stream,
                lookup: self.dc.first().and_then(Option::as_ref),
                al: header.al,
                coefficients,
            });
        };
        let tables = (lookup, &**pairs);
        if header.is_refinement {
            backend.run(RefinementScan {
                stream,
                tables,
                header,
                coefficients,
                nonzero,
            });
        } else {
            backend.run(FirstScan {
                stream,
                tables,
                header,
                coefficients,
                nonzero,
            });
        }
    }

    /// Returns the damage of the scan.
    pub(super) fn finish(mut self) -> Option<Damage> {
        // Data after the last scan are ignored, as those after the scan of a sequential file are.
        let is_over = self.header.has_next && !self.stream.is_skipping;
        if is_over && self.stream.window.skip_to_marker(&self.stream.bits) > 1 {
            self.stream.damage.get_or_insert(Damage::Surplus);
        }
        self.stream.damage
    }
}
