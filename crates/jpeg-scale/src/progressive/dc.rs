//! DC coefficients of a progressive file (ITU-T T.81, G.1.2.1).

use super::blocks::Blocks;
use super::lookup::Lookup;
use crate::backend::{Instructions, Work};
use crate::layout::Layout;
use crate::script::Pass;
use crate::stream::Stream;
use crate::window::{Bits, Bytes};

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
        let Self {
            stream,
            lookup,
            low,
            coefficients,
        } = self;
        let mut bits = stream.bits;
        let mut prediction = stream.predictions[0];
        let mut valid = true;
        for block in coefficients {
            stream.window.prepare(&mut bits);
            valid = dc(
                &mut bits,
                stream.window.bytes(),
                lookup,
                low,
                &mut prediction,
                block,
            );
            if !valid || stream.window.is_overrun(&bits) {
                break;
            }
        }
        stream.predictions[0] = prediction;
        stream.settle(bits, valid);
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

/// A block of an MCU.
struct Unit<'a> {
    /// Its component's place among the scan's.
    member: usize,
    lookup: Option<&'a Lookup>,
    /// Its place in the first MCU, and how far it is to the next.
    from: usize,
    step: usize,
}

impl<const K: usize> Work for Interleaved<'_, '_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let units = units(self.pass, self.lookups, self.blocks.places, self.layout);
        let (stream, low) = (self.stream, self.pass.low);
        let coefficients = &mut *self.blocks.coefficients;
        for mcu in 0..self.layout.columns {
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
            stream.window.prepare(&mut stream.bits);
            let mut bits = stream.bits;
            let mut predictions = stream.predictions;
            let bytes = stream.window.bytes();
            let mut valid = true;
            for unit in &units {
                let block = &mut coefficients[unit.from + mcu * unit.step];
                if !dc(
                    &mut bits,
                    bytes,
                    unit.lookup,
                    low,
                    &mut predictions[unit.member],
                    block,
                ) {
                    valid = false;
                    break;
                }
            }
            stream.predictions = predictions;
            stream.settle(bits, valid);
        }
    }
}

/// The blocks of an MCU in their order.
fn units<'a>(
    pass: &Pass,
    lookups: &'a [Option<Lookup>],
    places: &[(usize, usize)],
    layout: &Layout,
) -> Vec<Unit<'a>> {
    let mut units = Vec::with_capacity(12);
    for (index, (member, lookup)) in pass.members.iter().zip(lookups).enumerate() {
        let component = &layout.components[member.component];
        let (from, stride) = places[member.component];
        for y in 0..component.vertical {
            for x in 0..component.horizontal {
                units.push(Unit {
                    member: index,
                    lookup: lookup.as_ref(),
                    from: from + y * stride + x,
                    step: component.horizontal,
                });
            }
        }
    }
    units
}

/// Reads a block's DC coefficient, or the next bit of it; false if that was not possible.
#[inline(always)]
fn dc<const K: usize>(
    bits: &mut Bits,
    bytes: &Bytes,
    lookup: Option<&Lookup>,
    low: u32,
    prediction: &mut i16,
    block: &mut [i16; K],
) -> bool {
    bits.refill(bytes);
    let Some(lookup) = lookup else {
        block[0] |= (bits.peek(1) as i16) << low;
        bits.consume(1);
        return true;
    };
    let entry = lookup.next(bits);
    *prediction = prediction.wrapping_add(entry.value());
    block[0] = *prediction << low;
    bits.consume(entry.consume());
    !entry.is_invalid()
}
