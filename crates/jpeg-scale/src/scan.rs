//! Data of a sequential scan: MCU by MCU into coefficients, sixteen MCUs at a time into samples.

use crate::backend::{Backend, Instructions, Work};
use crate::block;
use crate::error::Damage;
use crate::group::{EMPTY_GROUP, Group, GroupSamples, LANES, write_samples};
use crate::huffman::Tables;
use crate::planes::Plane;
use crate::stream::Stream;
use crate::window::{Window, WindowBuffer};

/// MCUs that are decoded before their blocks are transformed.
const BATCH: usize = LANES;

/// Parameters of a component in a scan.
pub(crate) struct ComponentParameters<'a> {
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    pub(crate) tables: &'a Tables,
    /// Quantization steps in zig-zag order.
    pub(crate) steps: [i16; 64],
}

/// A block of an MCU.
struct McuBlock<'a> {
    component: usize,
    tables: &'a Tables,
    /// Offset of its first coefficient in the groups, for each MCU of a batch.
    offsets: [u32; BATCH],
}

/// A whole scan at `N`/8; `LIMIT` is [`coefficient_limit`](block::coefficient_limit) of `N`.
pub(crate) struct Scan<'a, const N: usize, const LIMIT: usize> {
    pub(crate) backend: Backend,
    pub(crate) source: &'a [u8],
    pub(crate) data: usize,
    pub(crate) window: &'a mut WindowBuffer,
    pub(crate) groups: &'a mut Vec<Group>,
    pub(crate) components: &'a [ComponentParameters<'a>],
    pub(crate) planes: &'a mut [Plane],
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) restart_interval: usize,
}

impl<const N: usize, const LIMIT: usize> Work for Scan<'_, N, LIMIT> {
    type Output = Option<Damage>;

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) -> Option<Damage> {
        let (mcu_blocks, group_count) = mcu_blocks(self.components);
        self.groups.clear();
        self.groups.resize(group_count, EMPTY_GROUP);
        let window = Window::new(self.window, self.source, self.data);
        let mut stream = Stream::new(window, self.restart_interval);
        let mut samples: GroupSamples = [[0; 8 * LANES]; 8];

        for row in 0..self.rows {
            for start in (0..self.columns).step_by(BATCH) {
                let count = BATCH.min(self.columns - start);
                for mcu in 0..count {
                    decode_mcu::<LIMIT>(&mut stream, &mcu_blocks, self.groups.as_flattened_mut(), mcu);
                }
                let mut groups = self.groups.iter_mut();
                for (component, plane) in self.components.iter().zip(self.planes.iter_mut()) {
                    let blocks = count * component.horizontal;
                    for y in 0..component.vertical {
                        let top = (row * component.vertical + y) * N;
                        for (x, group) in groups.by_ref().take(component.horizontal).enumerate() {
                            if x * LANES < blocks {
                                self.backend.transform::<N>(group, &component.steps, &mut samples);
                                let left = (start * component.horizontal + x * LANES) * N;
                                write_samples::<N>(
                                    &samples,
                                    plane,
                                    top,
                                    left,
                                    (blocks - x * LANES).min(LANES),
                                );
                            }
                        }
                    }
                }
            }
        }
        stream.damage
    }
}

fn mcu_blocks<'a>(components: &'a [ComponentParameters<'a>]) -> (Vec<McuBlock<'a>>, usize) {
    let mut mcu_blocks = Vec::with_capacity(12);
    let mut group = 0;
    for (index, component) in components.iter().enumerate() {
        for _ in 0..component.vertical {
            for x in 0..component.horizontal {
                let offset = |mcu: usize| {
                    let block = mcu * component.horizontal + x;
                    (group + block / LANES) * EMPTY_GROUP.len() + block % LANES
                };
                let offsets = std::array::from_fn(|mcu| offset(mcu) as u32);
                mcu_blocks.push(McuBlock {
                    component: index,
                    tables: component.tables,
                    offsets,
                });
            }
            // A row of blocks of a batch takes as many groups as a row of blocks of an MCU has blocks.
            group += component.horizontal;
        }
    }
    (mcu_blocks, group)
}

/// Decodes an MCU of all components.
#[inline(always)]
fn decode_mcu<const LIMIT: usize>(
    stream: &mut Stream<'_>,
    mcu_blocks: &[McuBlock<'_>],
    groups: &mut [i16],
    mcu: usize,
) {
    if stream.mcus_to_restart == 0 {
        stream.restart();
    }
    stream.mcus_to_restart -= 1;
    if stream.is_skipping {
        return;
    }
    stream.window.ensure_mcu(&mut stream.bits);
    let mut bits = stream.bits;
    let mut predictions = stream.predictions;
    let buffer = stream.window.buffer();
    let mut valid = true;
    for mcu_block in mcu_blocks {
        let offset = mcu_block.offsets[mcu & (BATCH - 1)] as usize;
        let Some(coefficients) = groups[offset..].first_chunk_mut() else {
            break;
        };
        if block::decode::<LIMIT>(&mut bits, buffer, mcu_block.tables, coefficients).is_err() {
            valid = false;
            break;
        }
        let prediction = &mut predictions[mcu_block.component];
        *prediction = prediction.wrapping_add(coefficients[0]);
        coefficients[0] = *prediction;
    }
    stream.predictions = predictions;
    stream.commit(bits, valid);
}
