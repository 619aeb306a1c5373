//! Progressive files: all scans side by side, a row of MCUs at a time.
//!
//! The whole file is at hand, so each scan can be read from its own place: a row of MCUs is taken through all scans in
//! their order, transformed, and forgotten. Nothing but that row is ever stored, and it stays in the CPU's cache.
//!
//! Of a block there are the coefficients that the scale can want, in the file's order, and a set of those that are not
//! zero, wanted or not: a scan that refines has a bit for each of them.

mod dc;
mod first;
mod lookup;
mod pairs;
mod refine;

use crate::backend::{Backend, Instructions, Work};
use crate::block::LANES;
use crate::error::Damage;
use crate::header::ZIGZAG;
use crate::idct::Samples;
use crate::layout::{Component, Layout};
use crate::planes::Plane;
use crate::scan::{EMPTY, Group, put};
use crate::script::{Member, Pass, bit};
use crate::stream::Stream;
use crate::window::{self, Bytes, Window};
use first::First;
use lookup::{Lookup, Meaning};
use pairs::Pairs;
use refine::Refine;

/// Coefficients of a block that are stored at N/8, by N: as many as come before the last that is wanted, and as fit
/// vectors.
pub(crate) const STORED: [usize; 9] = [0, 1, 8, 16, 32, 64, 64, 64, 64];

/// Bytes that a block takes at N/8, by N.
pub(crate) const BYTES_OF_BLOCK: [usize; 9] = {
    let mut bytes = [0; 9];
    let mut n = 0;
    while n < 9 {
        bytes[n] = STORED[n] * size_of::<i16>() + size_of::<u64>();
        n += 1;
    }
    bytes
};

/// The set of coefficients that a picture at N/8 is made from.
pub(crate) fn wanted(n: usize) -> u64 {
    let is_wanted = |place: usize| place / 8 < n && place % 8 < n;
    (0..64)
        .filter(|&k| is_wanted(ZIGZAG[k].into()))
        .fold(0, |set, k| set | bit(k))
}

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

/// A scan that is being read.
struct Running<'a> {
    pass: &'a Pass,
    stream: Stream<'a>,
    /// For DC coefficients, of each member.
    dc: Vec<Option<Lookup>>,
    /// For AC coefficients.
    ac: Option<(Lookup, Box<Pairs>)>,
}

/// The blocks of a row of MCUs, component by component.
struct Blocks<'a, const K: usize> {
    coefficients: &'a mut [[i16; K]],
    sets: &'a mut [u64],
    /// Where each component's blocks begin, and how many there are in its rows.
    places: &'a [(usize, usize)],
}

impl<const K: usize> Blocks<'_, K> {
    /// A component's blocks.
    fn of(&self, index: usize, component: &Component) -> &[[i16; K]] {
        let (from, stride) = self.places[index];
        &self.coefficients[from..from + stride * component.vertical]
    }
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

/// Where each component's blocks begin in a row of MCUs, and how many there are in its rows.
fn places(layout: &Layout) -> Vec<(usize, usize)> {
    let mut from = 0;
    let each = |component: &Component| {
        let stride = layout.columns * component.horizontal;
        let place = (from, stride);
        from += stride * component.vertical;
        place
    };
    layout.components.iter().map(each).collect()
}

/// Turns a component's blocks into samples.
struct Transform<'a, const N: usize, const K: usize> {
    backend: Backend,
    blocks: &'a [[i16; K]],
    /// Blocks in a row.
    stride: usize,
    steps: &'a [i16; 64],
    plane: &'a mut Plane,
    /// The row of samples that they begin at.
    top: usize,
}

impl<const N: usize, const K: usize> Work for Transform<'_, N, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let mut group = EMPTY;
        let mut samples: Samples = [[0; 8 * LANES]; 8];
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

impl<'a> Running<'a> {
    fn new(pass: &'a Pass, window: Window<'a>) -> Self {
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
    fn row<const K: usize>(
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
    fn finish(mut self) -> Option<Damage> {
        // What follows the last scan is of no interest, as behind the scan of a sequential file.
        let is_over = self.pass.is_followed && !self.stream.lost;
        if is_over && self.stream.window.finish(&self.stream.bits) > 1 {
            self.stream.damage.get_or_insert(Damage::Surplus);
        }
        self.stream.damage
    }
}
