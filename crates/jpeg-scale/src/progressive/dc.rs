//! DC scans of a progressive file (ITU-T T.81, G.1.2.1).

use super::blocks::McuRow;
use super::lookup::Lookup;
use crate::backend::{Instructions, Work};
use crate::layout::Layout;
use crate::script::ScanHeader;
use crate::stream::Stream;
use crate::window::{BitReader, WindowBuffer};

/// Decodes adjacent blocks of one component.
pub(super) struct SingleComponent<'a, 's, const STORED: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) lookup: Option<&'a Lookup>,
    pub(super) al: u32,
    pub(super) coefficients: &'a mut [[i16; STORED]],
}

impl<const STORED: usize> Work for SingleComponent<'_, '_, STORED> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self {
            stream,
            lookup,
            al,
            coefficients,
        } = self;
        let mut bits = stream.bits;
        let mut prediction = stream.predictions[0];
        let mut valid = true;
        for block in coefficients {
            stream.window.ensure_mcu(&mut bits);
            valid = decode_dc(
                &mut bits,
                stream.window.buffer(),
                lookup,
                al,
                &mut prediction,
                block,
            );
            if !valid || stream.window.is_overrun(&bits) {
                break;
            }
        }
        stream.predictions[0] = prediction;
        stream.commit(bits, valid);
    }
}

/// Decodes a row of MCUs of several components.
pub(super) struct Interleaved<'a, 's, 'b, const STORED: usize> {
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) lookups: &'a [Option<Lookup>],
    pub(super) header: &'a ScanHeader,
    pub(super) blocks: &'a mut McuRow<'b, STORED>,
    pub(super) layout: &'a Layout,
}

/// A block of an MCU.
struct McuBlock<'a> {
    /// Index of its component in the scan.
    scan_index: usize,
    lookup: Option<&'a Lookup>,
    /// Index in the first MCU, and the distance to the next MCU's.
    from: usize,
    step: usize,
}

impl<const STORED: usize> Work for Interleaved<'_, '_, '_, STORED> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let mcu_blocks = mcu_blocks(self.header, self.lookups, self.blocks.offsets, self.layout);
        let (stream, al) = (self.stream, self.header.al);
        let coefficients = &mut *self.blocks.coefficients;
        for mcu in 0..self.layout.mcu_columns {
            if stream.mcus_to_restart == 0 {
                stream.restart();
            }
            if stream.is_exhausted {
                return;
            }
            stream.mcus_to_restart -= 1;
            if stream.is_skipping {
                continue;
            }
            stream.window.ensure_mcu(&mut stream.bits);
            let mut bits = stream.bits;
            let mut predictions = stream.predictions;
            let buffer = stream.window.buffer();
            let mut valid = true;
            for mcu_block in &mcu_blocks {
                let block = &mut coefficients[mcu_block.from + mcu * mcu_block.step];
                if !decode_dc(
                    &mut bits,
                    buffer,
                    mcu_block.lookup,
                    al,
                    &mut predictions[mcu_block.scan_index],
                    block,
                ) {
                    valid = false;
                    break;
                }
            }
            stream.predictions = predictions;
            stream.commit(bits, valid);
        }
    }
}

/// Blocks of an MCU in coding order.
fn mcu_blocks<'a>(
    header: &ScanHeader,
    lookups: &'a [Option<Lookup>],
    offsets: &[(usize, usize)],
    layout: &Layout,
) -> Vec<McuBlock<'a>> {
    let mut mcu_blocks = Vec::with_capacity(12);
    for (index, (scan_component, lookup)) in header.components.iter().zip(lookups).enumerate() {
        let component = &layout.components[scan_component.index];
        let (from, stride) = offsets[scan_component.index];
        for y in 0..component.vertical {
            for x in 0..component.horizontal {
                mcu_blocks.push(McuBlock {
                    scan_index: index,
                    lookup: lookup.as_ref(),
                    from: from + y * stride + x,
                    step: component.horizontal,
                });
            }
        }
    }
    mcu_blocks
}

/// Decodes a block's DC coefficient, or its next bit; returns false if the code is invalid.
#[inline(always)]
fn decode_dc<const STORED: usize>(
    bits: &mut BitReader,
    buffer: &WindowBuffer,
    lookup: Option<&Lookup>,
    al: u32,
    prediction: &mut i16,
    block: &mut [i16; STORED],
) -> bool {
    bits.refill(buffer);
    let Some(lookup) = lookup else {
        block[0] |= (bits.peek(1) as i16) << al;
        bits.consume(1);
        return true;
    };
    let entry = lookup.next(bits);
    *prediction = prediction.wrapping_add(entry.value());
    block[0] = *prediction << al;
    bits.consume(entry.consume());
    !entry.is_invalid()
}
