//! Entropy coding of quantized blocks.

use super::tables::HuffmanDefinition;
use crate::fdct::{COLUMN_MAJOR_INDEX, QuantizedBlock};

/// Codes by symbol: the length is in the low 8 bits, the code above it.
type Codes = [u32; 256];

/// Huffman codes of a component.
pub(crate) struct Coder {
    dc: Codes,
    ac: Codes,
}

impl Coder {
    pub(crate) fn new(dc: &HuffmanDefinition, ac: &HuffmanDefinition) -> Self {
        Self {
            dc: codes(dc),
            ac: codes(ac),
        }
    }
}

/// Canonical codes (ITU-T T.81, annex C).
fn codes(definition: &HuffmanDefinition) -> Codes {
    let mut codes = [0; 256];
    let mut code = 0;
    let mut symbols = definition.symbols.iter();
    for (length, &count) in (1u32..).zip(&definition.counts) {
        for &symbol in symbols.by_ref().take(usize::from(count)) {
            codes[usize::from(symbol)] = code << 8 | length;
            code += 1;
        }
        code <<= 1;
    }
    codes
}

/// For each column and each pattern of non-zero coefficients in it, the set of their zig-zag indices.
type ZigzagMasks = [[u64; 256]; 8];

static ZIGZAG_MASKS: ZigzagMasks = {
    let mut masks = [[0; 256]; 8];
    let mut k = 0;
    while k < 64 {
        let (column, bit) = (COLUMN_MAJOR_INDEX[k] as usize / 8, COLUMN_MAJOR_INDEX[k] % 8);
        let mut pattern = 0;
        while pattern < 256 {
            if pattern >> bit & 1 == 1 {
                masks[column][pattern] |= 1 << k;
            }
            pattern += 1;
        }
        k += 1;
    }
    masks
};

/// Bits that do not fill a word yet.
#[derive(Clone, Copy)]
struct Pending {
    /// The most recent bits, at the low end.
    bits: u64,
    /// Number of pending bits; fewer than 32 between calls.
    count: u32,
}

/// Writes entropy-coded data into a file.
pub(crate) struct EntropyWriter {
    file: Vec<u8>,
    pending: Pending,
}

impl EntropyWriter {
    pub(crate) fn new(file: Vec<u8>) -> Self {
        Self {
            file,
            pending: Pending { bits: 0, count: 0 },
        }
    }

    /// Writes a block; `prediction` is the DC coefficient of the component's previous block and is set to
    /// this block's.
    #[inline(always)]
    pub(crate) fn block(&mut self, block: &QuantizedBlock, coder: &Coder, prediction: &mut i16) {
        // A local copy stays in registers.
        let mut pending = self.pending;
        let file = &mut self.file;
        let dc = block.coefficients[0];
        pending.put_value(file, &coder.dc, 0, dc.wrapping_sub(*prediction));
        *prediction = dc;

        let mut remaining = 0;
        for (masks, pattern) in ZIGZAG_MASKS.iter().zip(block.present.to_le_bytes()) {
            remaining |= masks[usize::from(pattern)];
        }
        // Without the DC coefficient. The set is shifted as coefficients are written: the zeros at its low
        // end are the run.
        remaining >>= 1;
        let mut k = 1;
        while remaining != 0 {
            let run = remaining.trailing_zeros();
            k += run as usize;
            for _ in 0..run / 16 {
                pending.put_code(file, coder.ac[0xf0]);
            }
            let value = block.coefficients[usize::from(COLUMN_MAJOR_INDEX[k & 63]) & 63];
            pending.put_value(file, &coder.ac, (run % 16) << 4, value);
            remaining = remaining >> run >> 1;
            k += 1;
        }
        if k < 64 {
            pending.put_code(file, coder.ac[0]);
        }
        self.pending = pending;
    }

    /// Fills the last byte with ones.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let fill = (8 - self.pending.count % 8) % 8;
        self.pending.put(&mut self.file, (1 << fill) - 1, fill);
        for at in (0..self.pending.count / 8).rev() {
            put_byte(&mut self.file, (self.pending.bits >> (8 * at)) as u8);
        }
        self.file
    }
}

impl Pending {
    /// Writes the symbol of a run and a size, and the value's bits.
    #[inline(always)]
    fn put_value(&mut self, file: &mut Vec<u8>, codes: &Codes, run: u32, value: i16) {
        let value = i32::from(value);
        let size = 32 - value.unsigned_abs().leading_zeros();
        let code = codes[(run | size) as usize & 255];
        // The bits of a negative value are those of its magnitude, inverted (ITU-T T.81, F.1.2.1).
        let bits = (value + (value >> 31)) as u32 & ((1 << size) - 1);
        self.put(file, ((code >> 8) << size) | bits, (code & 0xff) + size);
    }

    #[inline(always)]
    fn put_code(&mut self, file: &mut Vec<u8>, code: u32) {
        self.put(file, code >> 8, code & 0xff);
    }

    #[inline(always)]
    fn put(&mut self, file: &mut Vec<u8>, bits: u32, count: u32) {
        self.bits = (self.bits << count) | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            put_word(file, (self.bits >> self.count) as u32);
        }
    }
}

#[inline(always)]
fn put_word(file: &mut Vec<u8>, word: u32) {
    // A byte is 0xFF if its top bit is set and a carry reaches it.
    if word & (word & 0x7f7f_7f7f).wrapping_add(0x0101_0101) & 0x8080_8080 == 0 {
        file.extend_from_slice(&word.to_be_bytes());
    } else {
        put_stuffed(file, word);
    }
}

#[cold]
#[inline(never)]
fn put_stuffed(file: &mut Vec<u8>, word: u32) {
    for byte in word.to_be_bytes() {
        put_byte(file, byte);
    }
}

fn put_byte(file: &mut Vec<u8>, byte: u8) {
    file.push(byte);
    if byte == 0xff {
        file.push(0);
    }
}
