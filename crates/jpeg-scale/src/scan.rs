//! The picture's data: MCU by MCU into coefficients, sixteen MCUs at a time into samples.

use crate::backend::{Backend, Instructions, Work};
use crate::block::{self, LANES};
use crate::error::Damage;
use crate::huffman::Tables;
use crate::idct::Samples;
use crate::planes::Plane;
use crate::stream::Stream;
use crate::window::{Bytes, Window};

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
    fn run<I: Instructions>(self, _: I) -> Option<Damage> {
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
                    self::mcu::<LIMIT>(&mut stream, &units, self.groups.as_flattened_mut(), mcu);
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
pub(crate) fn put<const N: usize>(
    samples: &Samples,
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

/// Decodes an MCU of all components.
#[inline(always)]
fn mcu<const LIMIT: usize>(stream: &mut Stream<'_>, units: &[Unit<'_>], groups: &mut [i16], mcu: usize) {
    if stream.left == 0 {
        stream.restart();
    }
    stream.left -= 1;
    if stream.lost {
        return;
    }
    stream.window.prepare(&mut stream.bits);
    let mut bits = stream.bits;
    let mut predictions = stream.predictions;
    let bytes = stream.window.bytes();
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
    stream.predictions = predictions;
    stream.settle(bits, valid);
}
