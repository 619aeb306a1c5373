//! The picture's data: MCU by MCU into coefficients, sixteen MCUs at a time into samples.

use crate::backend::{Backend, Instructions, Work};
use crate::block;
use crate::error::Damage;
use crate::group::{EMPTY, Group, GroupSamples, LANES, put};
use crate::huffman::Tables;
use crate::planes::Plane;
use crate::stream::Stream;
use crate::window::{Bytes, Window};

/// MCUs that are decoded before their blocks are transformed.
const BATCH: usize = LANES;

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

/// A whole scan at `N`/8 of its size; `LIMIT` is [`limit`](block::limit) of `N`.
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
        let mut samples: GroupSamples = [[0; 8 * LANES]; 8];

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
