//! DC coefficients of a progressive file (ITU-T T.81, G.1.2.1).

use super::Blocks;
use super::lookup::{Lookup, entry};
use crate::backend::{Instructions, Work};
use crate::layout::Layout;
use crate::script::Pass;
use crate::stream::Stream;

/// Reads neighbouring blocks of one component.
pub(super) struct Alone<'a, 's, const K: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) lookup: Option<&'a Lookup>,
    pub(super) low: u32,
    pub(super) coefficients: &'a mut [[i16; K]],
}

impl<const K: usize> Work for Alone<'_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        for block in self.coefficients {
            if !dc(self.stream, self.lookup, 0, self.low, block) {
                break;
            }
        }
    }
}

/// Reads a row of MCUs of several components.
pub(super) struct Interleaved<'a, 's, 'b, const K: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) lookups: &'a [Option<Lookup>],
    pub(super) pass: &'a Pass,
    pub(super) blocks: &'a mut Blocks<'b, K>,
    pub(super) layout: &'a Layout,
}

impl<const K: usize> Work for Interleaved<'_, '_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self {
            stream,
            lookups,
            pass,
            blocks,
            layout,
        } = self;
        for mcu in 0..layout.columns {
            if stream.left == 0 {
                stream.restart();
            }
            if stream.ended {
                return;
            }
            stream.left -= 1;
            if stream.lost {
                continue;
            }
            'mcu: for (member, lookup) in pass.members.iter().zip(lookups) {
                let component = &layout.components[member.component];
                let (from, stride) = blocks.places[member.component];
                for y in 0..component.vertical {
                    let from = from + y * stride + mcu * component.horizontal;
                    for block in &mut blocks.coefficients[from..from + component.horizontal] {
                        if !dc(stream, lookup.as_ref(), member.component, pass.low, block) {
                            break 'mcu;
                        }
                    }
                }
            }
        }
    }
}

/// Reads a block's DC coefficient, or the next bit of it; false if that was not possible.
#[inline(always)]
fn dc<const K: usize>(
    stream: &mut Stream<'_>,
    lookup: Option<&Lookup>,
    component: usize,
    low: u32,
    block: &mut [i16; K],
) -> bool {
    stream.window.prepare(&mut stream.bits);
    let mut bits = stream.bits;
    bits.refill(stream.window.bytes());
    let mut valid = true;
    if let Some(lookup) = lookup {
        let mut entry = entry(&lookup.entries, &bits);
        if entry.is_special() {
            entry = lookup.long(bits.next);
        }
        let prediction = &mut stream.predictions[component];
        *prediction = prediction.wrapping_add(entry.value());
        block[0] = *prediction << low;
        bits.consume(entry.consume());
        valid = !entry.is_invalid();
    } else {
        block[0] |= (bits.peek(1) as i16) << low;
        bits.consume(1);
    }
    stream.settle(bits, valid);
    !stream.lost
}
