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
mod refine;

use crate::backend::{Backend, Instructions, Work};
use crate::block::LANES;
use crate::error::Damage;
use crate::header::ZIGZAG;
use crate::idct::Samples;
use crate::layout::{Component, Layout};
use crate::planes::Plane;
use crate::scan::{EMPTY, Group, put};
use crate::script::{Pass, bit};
use crate::stream::Stream;
use crate::window::{self, Bytes, Window};
use lookup::{Lookup, Meaning};

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
    /// Of each member.
    lookups: Vec<Option<Lookup>>,
}

/// The blocks of a row of MCUs, component by component.
struct Blocks<'a, const K: usize> {
    coefficients: &'a mut [[i16; K]],
    sets: &'a mut [u64],
    /// Where each component's blocks begin, and how many there are in its rows.
    places: &'a [(usize, usize)],
}

impl<const N: usize, const K: usize> Work for Progressive<'_, N, K> {
    type Output = Option<Damage>;

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) -> Option<Damage> {
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
        let mut group = EMPTY;
        let mut samples: Samples = [[0; 8 * LANES]; 8];

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
                    scan.row(instructions, &mut blocks, layout, row);
                }
            }
            for (index, component) in layout.components.iter().enumerate() {
                let (from, stride) = places[index];
                for y in 0..component.vertical {
                    let blocks = &blocks.coefficients[from + y * stride..][..stride];
                    let top = (row * component.vertical + y) * N;
                    for (x, blocks) in blocks.chunks(LANES).enumerate() {
                        gather::<N, K>(blocks, &mut group);
                        self.backend
                            .transform::<N>(&mut group, &self.steps[index], &mut samples);
                        put::<N>(
                            &samples,
                            &mut self.planes[index],
                            top,
                            x * LANES * N,
                            blocks.len(),
                        );
                    }
                }
            }
        }
        running.into_iter().find_map(Running::finish)
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
        let meaning = match (pass.first, pass.refines) {
            (0, _) => Meaning::Dc,
            (_, false) => Meaning::First,
            (_, true) => Meaning::Refinement,
        };
        let lookups = pass
            .members
            .iter()
            .map(|member| member.code.as_ref().map(|code| Lookup::new(code, meaning)))
            .collect();
        Self {
            pass,
            stream: Stream::new(window, pass.restart_interval.into()),
            lookups,
        }
    }

    /// Reads a row of MCUs.
    #[inline(always)]
    fn row<I: Instructions, const K: usize>(
        &mut self,
        instructions: I,
        blocks: &mut Blocks<'_, K>,
        layout: &Layout,
        row: usize,
    ) {
        match (self.pass.members.as_slice(), self.pass.first) {
            ([member], _) => {
                let component = &layout.components[member.component];
                let (from, stride) = blocks.places[member.component];
                for y in 0..component.vertical {
                    if row * component.vertical + y < component.down {
                        let from = from + y * stride;
                        let coefficients = &mut blocks.coefficients[from..from + component.across];
                        let sets = &mut blocks.sets[from..from + component.across];
                        self.line(instructions, coefficients, sets);
                    }
                }
            }
            _ => self.interleaved(blocks, layout),
        }
    }

    /// Reads a row of blocks of a component that is alone in the scan.
    #[inline(always)]
    fn line<I: Instructions, const K: usize>(
        &mut self,
        instructions: I,
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
            if self.stream.lost {
                continue;
            }
            let (stream, pass) = (&mut self.stream, self.pass);
            match (pass.first, self.lookups.first()) {
                (0, Some(Some(lookup))) => {
                    for block in now {
                        if !dc::first(stream, lookup, 0, pass.low, block) {
                            break;
                        }
                    }
                }
                (0, _) => {
                    for block in now {
                        if !dc::refine(stream, pass.low, block) {
                            break;
                        }
                    }
                }
                (_, Some(Some(lookup))) if pass.refines => {
                    refine::blocks(instructions, stream, lookup, pass, now, now_sets);
                }
                (_, Some(Some(lookup))) => first::blocks(stream, lookup, pass, now, now_sets),
                _ => {}
            }
        }
    }

    /// Reads a row of MCUs of several components: DC coefficients only.
    #[inline(always)]
    fn interleaved<const K: usize>(&mut self, blocks: &mut Blocks<'_, K>, layout: &Layout) {
        for mcu in 0..layout.columns {
            if self.stream.left == 0 {
                self.stream.restart();
            }
            if self.stream.ended {
                return;
            }
            self.stream.left -= 1;
            if self.stream.lost {
                continue;
            }
            'mcu: for (member, lookup) in self.pass.members.iter().zip(&self.lookups) {
                let component = &layout.components[member.component];
                let (from, stride) = blocks.places[member.component];
                for y in 0..component.vertical {
                    let from = from + y * stride + mcu * component.horizontal;
                    for block in &mut blocks.coefficients[from..from + component.horizontal] {
                        let is_good = match lookup {
                            Some(lookup) => {
                                dc::first(&mut self.stream, lookup, member.component, self.pass.low, block)
                            }
                            None => dc::refine(&mut self.stream, self.pass.low, block),
                        };
                        if !is_good {
                            break 'mcu;
                        }
                    }
                }
            }
        }
    }

    /// What was wrong with the scan.
    fn finish(mut self) -> Option<Damage> {
        if !self.stream.lost && self.stream.window.finish(&self.stream.bits) > 1 {
            self.stream.damage.get_or_insert(Damage::Surplus);
        }
        self.stream.damage
    }
}
