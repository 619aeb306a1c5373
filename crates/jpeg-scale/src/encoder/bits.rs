//! Entropy coding of quantised blocks.

use super::tables::Definition;
use crate::fdct::{Block, PLACE};

/// Codes by symbol: the code above, its length in the low 8 bits.
type Codes = [u32; 256];

/// The codes of a component.
pub(crate) struct Coder {
    dc: Codes,
    ac: Codes,
}

impl Coder {
    pub(crate) fn new(dc: &Definition, ac: &Definition) -> Self {
        Self {
            dc: codes(dc),
            ac: codes(ac),
        }
    }
}

/// ITU-T T.81, annex C.
fn codes(definition: &Definition) -> Codes {
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

/// For each column and each pattern of coefficients in it: which places in the file's order these have.
type Orders = [[u64; 256]; 8];

static ORDERS: Orders = {
    let mut orders = [[0; 256]; 8];
    let mut k = 0;
    while k < 64 {
        let (column, bit) = (PLACE[k] as usize / 8, PLACE[k] % 8);
        let mut pattern = 0;
        while pattern < 256 {
            if pattern >> bit & 1 == 1 {
                orders[column][pattern] |= 1 << k;
            }
            pattern += 1;
        }
        k += 1;
    }
    orders
};

/// Bits that are not yet a word.
#[derive(Clone, Copy)]
struct Pending {
    /// The last bits, at the low end.
    bits: u64,
    /// How many; fewer than 32 between calls.
    count: u32,
}

/// Entropy-coded data on their way into a file.
pub(crate) struct Writer {
    file: Vec<u8>,
    pending: Pending,
}

impl Writer {
    pub(crate) fn new(file: Vec<u8>) -> Self {
        Self {
            file,
            pending: Pending { bits: 0, count: 0 },
        }
    }

    /// Writes a block; `prediction` is the DC coefficient of the component's block before and becomes this one's.
    #[inline(always)]
    pub(crate) fn block(&mut self, block: &Block, coder: &Coder, prediction: &mut i16) {
        // A copy that lives in registers.
        let mut pending = self.pending;
        let file = &mut self.file;
        let dc = block.coefficients[0];
        pending.put_value(file, &coder.dc, 0, dc.wrapping_sub(*prediction));
        *prediction = dc;

        let mut left = 0;
        for (order, pattern) in ORDERS.iter().zip(block.present.to_le_bytes()) {
            left |= order[usize::from(pattern)];
        }
        // Without the DC coefficient. What is left is shifted as it is written: zeros at its low end are the run.
        left >>= 1;
        let mut k = 1;
        while left != 0 {
            let run = left.trailing_zeros();
            k += run as usize;
            for _ in 0..run / 16 {
                pending.put_code(file, coder.ac[0xf0]);
            }
            let value = block.coefficients[usize::from(PLACE[k & 63]) & 63];
            pending.put_value(file, &coder.ac, (run % 16) << 4, value);
            left = left >> run >> 1;
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
    /// A symbol of a run and a value's size, and the value's bits.
    #[inline(always)]
    fn put_value(&mut self, file: &mut Vec<u8>, codes: &Codes, run: u32, value: i16) {
        let value = i32::from(value);
        let size = 32 - value.unsigned_abs().leading_zeros();
        let code = codes[(run | size) as usize & 255];
        // A negative value's bits are those of its magnitude, inverted (ITU-T T.81, F.1.2.1).
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
    // Some byte is 0xFF if its top bit stays and a carry comes into it.
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
