//! A scan of a progressive file.

use super::blocks::Blocks;
use super::dc;
use super::first::First;
use super::lookup::{Lookup, Meaning};
use super::pairs::Pairs;
use super::refine::Refine;
use crate::backend::Backend;
use crate::error::Damage;
use crate::layout::Layout;
use crate::script::{Member, Pass};
use crate::stream::Stream;
use crate::window::Window;

/// A scan that is being read.
pub(super) struct Running<'a> {
    pass: &'a Pass,
    pub(super) stream: Stream<'a>,
    /// For DC coefficients, of each member.
    dc: Vec<Option<Lookup>>,
    /// For AC coefficients.
    ac: Option<(Lookup, Box<Pairs>)>,
}

impl<'a> Running<'a> {
    pub(super) fn new(pass: &'a Pass, window: Window<'a>) -> Self {
        let (dc, ac) = if pass.first == 0 {
            let table = |member: &Member| member.code.as_ref().map(|code| Lookup::new(code, Meaning::Dc));
            (pass.members.iter().map(table).collect(), None)
        } else {
            let meaning = if pass.refines {
                Meaning::Refinement
            } else {
                Meaning::First
            };
            let code = pass.members.first().and_then(|member| member.code.as_ref());
            let lookup = code.map(|code| Lookup::new(code, meaning));
            (Vec::new(), lookup.map(Lookup::with_pairs))
        };
        Self {
            pass,
            stream: Stream::new(window, pass.restart_interval.into()),
            dc,
            ac,
        }
    }

    /// Reads a row of MCUs.
    pub(super) fn row<const K: usize>(
        &mut self,
        backend: Backend,
        blocks: &mut Blocks<'_, K>,
        layout: &Layout,
        row: usize,
    ) {
        let [member] = self.pass.members.as_slice() else {
            return backend.run(dc::Interleaved {
                stream: &mut self.stream,
                lookups: &self.dc,
                pass: self.pass,
                blocks,
                layout,
            });
        };
        let component = &layout.components[member.component];
        let (from, stride) = blocks.places[member.component];
        for y in 0..component.vertical {
            if row * component.vertical + y < component.down {
                let range = from + y * stride..from + y * stride + component.across;
                self.line(
                    backend,
                    &mut blocks.coefficients[range.clone()],
                    &mut blocks.sets[range],
                );
            }
        }
    }

    /// Reads a row of blocks of a component that is alone in the scan.
    fn line<const K: usize>(
        &mut self,
        backend: Backend,
        mut coefficients: &mut [[i16; K]],
        mut sets: &mut [u64],
    ) {
        while !coefficients.is_empty() {
            if self.stream.left == 0 {
                self.stream.restart();
            }
            if self.stream.ended {
                return;
            }
            let count = self.stream.left.min(coefficients.len());
            self.stream.left -= count;
            let (now, later) = coefficients.split_at_mut(count);
            let (now_sets, later_sets) = sets.split_at_mut(count);
            (coefficients, sets) = (later, later_sets);
            if !self.stream.lost {
                self.blocks(backend, now, now_sets);
            }
        }
    }

    /// Reads neighbouring blocks without a restart marker between them.
    fn blocks<const K: usize>(&mut self, backend: Backend, coefficients: &mut [[i16; K]], sets: &mut [u64]) {
        let (stream, pass) = (&mut self.stream, self.pass);
        let Some((lookup, pairs)) = &self.ac else {
            return backend.run(dc::Alone {
                stream,
                lookup: self.dc.first().and_then(Option::as_ref),
                low: pass.low,
                coefficients,
            });
        };
        let tables = (lookup, &**pairs);
        if pass.refines {
            backend.run(Refine {
                stream,
                tables,
                pass,
                coefficients,
                sets,
            });
        } else {
            backend.run(First {
                stream,
                tables,
                pass,
                coefficients,
                sets,
            });
        }
    }

    /// What was wrong with the scan.
    pub(super) fn finish(mut self) -> Option<Damage> {
        // What follows the last scan is of no interest, as behind the scan of a sequential file.
        let is_over = self.pass.is_followed && !self.stream.lost;
        if is_over && self.stream.window.finish(&self.stream.bits) > 1 {
            self.stream.damage.get_or_insert(Damage::Surplus);
        }
        self.stream.damage
    }
}
