//! The picture's data: MCU by MCU into coefficients, sixteen MCUs at a time into samples.

use crate::backend::{Backend, Work};
use crate::block::{self, LANES};
use crate::error::Damage;
use crate::huffman::Tables;
use crate::idct::Samples;
use crate::planes::Plane;
use crate::window::{Bits, Bytes, Window};

/// MCUs that are decoded before their blocks are transformed.
const BATCH: usize = LANES;

/// Sixteen neighbouring blocks of a component: coefficient `k` of block `lane` is at `16 k + lane`. Beyond the 64
/// coefficients is room for those that damaged data put behind the end, and a little that keeps the beginnings of groups
/// apart in the CPU's caches.
pub(crate) type Group = [i16; 133 * LANES];

/// A group without coefficients.
pub(crate) const EMPTY: Group = [0; 133 * LANES];

/// What the scan has to know of a component.
pub(crate) struct Channel<'a> {
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    pub(crate) tables: &'a Tables,
    /// Quantisation steps in the file's order.
    pub(crate) steps: [i16; 64],
}

/// A block of an MCU.
struct Unit<'a> {
    channel: usize,
    tables: &'a Tables,
    /// Its place in the groups, for each MCU of a batch.
    places: [u32; BATCH],
}

/// A whole scan at `N`/8 of its size; `LIMIT` is [`limit`](crate::idct::limit) of `N`.
pub(crate) struct Scan<'a, const N: usize, const LIMIT: usize> {
    pub(crate) backend: Backend,
    pub(crate) source: &'a [u8],
    pub(crate) data: usize,
    pub(crate) window: &'a mut Bytes,
    pub(crate) groups: &'a mut Vec<Group>,
    pub(crate) channels: &'a [Channel<'a>],
    pub(crate) planes: &'a mut [Plane],
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) restart_interval: usize,
}

impl<const N: usize, const LIMIT: usize> Work for Scan<'_, N, LIMIT> {
    type Output = Option<Damage>;

    #[inline(always)]
    fn run(self) -> Option<Damage> {
        let (units, group_count) = units(self.channels);
        self.groups.clear();
        self.groups.resize(group_count, EMPTY);
        let window = Window::new(self.window, self.source, self.data);
        let mut stream = Stream::new(window, self.restart_interval);
        let mut samples: Samples = [[0; 8 * LANES]; 8];

        for row in 0..self.rows {
            for start in (0..self.columns).step_by(BATCH) {
                let count = BATCH.min(self.columns - start);
                for mcu in 0..count {
                    stream.mcu::<LIMIT>(&units, self.groups.as_flattened_mut(), mcu);
                }
                let mut groups = self.groups.iter_mut();
                for (channel, plane) in self.channels.iter().zip(self.planes.iter_mut()) {
                    let blocks = count * channel.horizontal;
                    for y in 0..channel.vertical {
                        let top = (row * channel.vertical + y) * N;
                        for (x, group) in groups.by_ref().take(channel.horizontal).enumerate() {
                            if x * LANES < blocks {
                                self.backend.transform::<N>(group, &channel.steps, &mut samples);
                                let left = (start * channel.horizontal + x * LANES) * N;
                                put::<N>(&samples, plane, top, left, (blocks - x * LANES).min(LANES));
                            }
                        }
                    }
                }
            }
        }
        stream.damage
    }
}

/// Copies the samples of the first `blocks` blocks to their place in the plane.
#[inline(always)]
fn put<const N: usize>(samples: &Samples, plane: &mut Plane, top: usize, left: usize, blocks: usize) {
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

fn units<'a>(channels: &'a [Channel<'a>]) -> (Vec<Unit<'a>>, usize) {
    let mut units = Vec::with_capacity(12);
    let mut group = 0;
    for (index, channel) in channels.iter().enumerate() {
        for _ in 0..channel.vertical {
            for x in 0..channel.horizontal {
                let place = |mcu: usize| {
                    let block = mcu * channel.horizontal + x;
                    (group + block / LANES) * EMPTY.len() + block % LANES
                };
                let places = std::array::from_fn(|mcu| place(mcu) as u32);
                units.push(Unit {
                    channel: index,
                    tables: channel.tables,
                    places,
                });
            }
            // A batch's row of blocks is as many groups as an MCU's row has blocks.
            group += channel.horizontal;
        }
    }
    (units, group)
}

/// The entropy-coded data with its restart intervals.
struct Stream<'a> {
    window: Window<'a>,
    bits: Bits,
    restart_interval: usize,
    /// MCUs until the next restart marker.
    left: usize,
    /// The number of the next restart marker.
    due: u8,
    /// Nothing can be read until the next restart marker.
    lost: bool,
    predictions: [i16; 3],
    damage: Option<Damage>,
}

impl<'a> Stream<'a> {
    fn new(mut window: Window<'a>, restart_interval: usize) -> Self {
        let bits = window.start();
        Self {
            window,
            bits,
            restart_interval,
            left: if restart_interval == 0 {
                usize::MAX
            } else {
                restart_interval
            },
            due: 0,
            lost: false,
            predictions: [0; 3],
            damage: None,
        }
    }

    #[inline(always)]
    fn mcu<const LIMIT: usize>(&mut self, units: &[Unit<'_>], groups: &mut [i16], mcu: usize) {
        if self.left == 0 {
            self.restart();
        }
        self.left -= 1;
        if self.lost {
            return;
        }
        self.window.prepare(&mut self.bits);
        let mut bits = self.bits;
        let mut predictions = self.predictions;
        let bytes = self.window.bytes();
        let mut valid = true;
        for unit in units {
            let place = unit.places[mcu & (BATCH - 1)] as usize;
            let Some(coefficients) = groups[place..].first_chunk_mut() else {
                break;
            };
            if block::decode::<LIMIT>(&mut bits, bytes, unit.tables, coefficients).is_err() {
                valid = false;
                break;
            }
            let prediction = &mut predictions[unit.channel];
            *prediction = prediction.wrapping_add(coefficients[0]);
            coefficients[0] = *prediction;
        }
        self.bits = bits;
        self.predictions = predictions;
        if self.window.is_overrun(&self.bits) {
            self.lose(Damage::Truncated);
        } else if !valid {
            self.lose(Damage::InvalidCode);
        }
    }

    #[cold]
    fn lose(&mut self, damage: Damage) {
        self.lost = true;
        self.damage.get_or_insert(damage);
    }

    /// At the end of an interval: looks for the marker that is due.
    #[cold]
    #[inline(never)]
    fn restart(&mut self) {
        self.left = self.restart_interval;
        self.predictions = [0; 3];
        let surplus = self.window.finish(&self.bits);
        if surplus > 1 && !self.lost {
            self.damage.get_or_insert(Damage::Surplus);
        }
        let due = self.due;
        self.due = (due + 1) & 7;
        let Some(found) = self.window.restart_marker() else {
            // Another marker or the end: there is no data for the rest of the picture.
            return self.lose(Damage::Truncated);
        };
        if found != due {
            self.damage.get_or_insert(Damage::Restart);
            // One or two intervals are missing: theirs stay empty, and the marker waits for its own.
            if matches!(found.wrapping_sub(due) & 7, 1 | 2) {
                self.lost = true;
                return;
            }
        }
        self.window.pass_marker();
        self.bits = self.window.start();
        self.lost = false;
    }
}
