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

/// Entropy-coded data on their way into a file.
pub(crate) struct Writer {
    pub(crate) file: Vec<u8>,
    /// The last bits, at the low end; fewer than 32 between calls.
    pending: u64,
    count: u32,
}

impl Writer {
    pub(crate) fn new(file: Vec<u8>) -> Self {
        Self {
            file,
            pending: 0,
            count: 0,
        }
    }

    /// Writes a block; `prediction` is the DC coefficient of the component's block before and becomes this one's.
    #[inline(always)]
    pub(crate) fn block(&mut self, block: &Block, coder: &Coder, prediction: &mut i16) {
        let dc = block.coefficients[0];
        self.value(&coder.dc, 0, dc.wrapping_sub(*prediction));
        *prediction = dc;

        let mut left = 0;
        for (order, pattern) in ORDERS.iter().zip(block.present.to_le_bytes()) {
            left |= order[usize::from(pattern)];
        }
        // Without the DC coefficient. What is left is shifted as it is written, so that zeros at its low end are the run.
        left >>= 1;
        let mut k = 1;
        while left != 0 {
            let run = left.trailing_zeros();
            k += run as usize;
            for _ in 0..run / 16 {
                self.code(coder.ac[0xf0]);
            }
            self.value(
                &coder.ac,
                (run % 16) << 4,
                block.coefficients[usize::from(PLACE[k & 63])],
            );
            left = left >> run >> 1;
            k += 1;
        }
        if k < 64 {
            self.code(coder.ac[0]);
        }
    }

    /// A symbol of a run and a value's size, and the value's bits.
    #[inline(always)]
    fn value(&mut self, codes: &Codes, run: u32, value: i16) {
        let value = i32::from(value);
        let size = 32 - value.unsigned_abs().leading_zeros();
        let code = codes[(run | size) as usize & 255];
        // A negative value's bits are those of its magnitude, inverted (ITU-T T.81, F.1.2.1).
        let bits = (value + (value >> 31)) as u32 & ((1 << size) - 1);
        self.put((code >> 8 << size) | bits, (code & 0xff) + size);
    }

    #[inline(always)]
    fn code(&mut self, code: u32) {
        self.put(code >> 8, code & 0xff);
    }

    #[inline(always)]
    fn put(&mut self, bits: u32, count: u32) {
        self.pending = self.pending << count | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            let word = (self.pending >> self.count) as u32;
            // Some byte is 0xFF if its top bit stays and a carry comes into it.
            if word & (word & 0x7f7f_7f7f).wrapping_add(0x0101_0101) & 0x8080_8080 == 0 {
                self.file.extend_from_slice(&word.to_be_bytes());
            } else {
                self.stuffed(word);
            }
        }
    }

    #[cold]
    fn stuffed(&mut self, word: u32) {
        for byte in word.to_be_bytes() {
            self.byte(byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.file.push(byte);
        if byte == 0xff {
            self.file.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let fill = (8 - self.count % 8) % 8;
        self.put((1 << fill) - 1, fill);
        for at in (0..self.count / 8).rev() {
            self.byte((self.pending >> (8 * at)) as u8);
        }
        self.file
    }
}
