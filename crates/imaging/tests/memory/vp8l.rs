//! A writer of lossless WebP images with many prefix code groups (RFC 9649, 3), which encoders do not write.

/// An image of zeros whose blocks use the prefix code groups in turn.
#[derive(Clone, Copy)]
pub(crate) struct GroupedImage {
    pub(crate) size: (u32, u32),
    /// Binary logarithm of a block's edge.
    pub(crate) block_bits: u32,
    pub(crate) groups: u32,
    /// True if the codes of green are 11 bits long, for which decoders build large tables.
    pub(crate) has_long_codes: bool,
}

impl GroupedImage {
    /// Content of a `VP8L` chunk.
    pub(crate) fn image_chunk(self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        bits.push(0x2F, 8);
        bits.push(self.size.0 - 1, 14);
        bits.push(self.size.1 - 1, 14);
        bits.push(0, 4);
        self.write(&mut bits);
        bits.bytes
    }

    /// Content of an `ALPH` chunk.
    pub(crate) fn alpha_chunk(self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        bits.push(1, 8);
        self.write(&mut bits);
        bits.bytes
    }

    fn write(self, bits: &mut BitWriter) {
        let (width, height) = self.size;
        let edge = 1 << self.block_bits;
        // No transforms.
        bits.push(0, 1);
        bits.push(u32::from(self.has_long_codes), 1);
        if self.has_long_codes {
            bits.push(11, 4);
        }
        bits.push(1, 1);
        bits.push(self.block_bits - 2, 3);
        // The entropy image has no colour cache. All symbols of its green and red have codes of 8 bits.
        bits.push(0, 1);
        bits.eight_bit_codes(280);
        bits.eight_bit_codes(256);
        (0..3).for_each(|_| bits.single_symbol_code(0));
        for block in 0..width.div_ceil(edge) * height.div_ceil(edge) {
            let [green, red, ..] = (block % self.groups).to_le_bytes();
            bits.push(green.reverse_bits().into(), 8);
            bits.push(red.reverse_bits().into(), 8);
        }
        for _ in 0..self.groups {
            if self.has_long_codes {
                bits.eleven_bit_codes();
            } else {
                bits.single_symbol_code(0);
            }
            (0..4).for_each(|_| bits.single_symbol_code(0));
        }
        let zeros = if self.has_long_codes {
            width * height * 11
        } else {
            0
        };
        bits.bytes
            .resize(bits.bytes.len() + zeros.div_ceil(8) as usize + 8, 0);
    }
}

/// Writes bits, the least significant of each byte first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    /// Position in bits.
    at: u32,
}

impl BitWriter {
    fn push(&mut self, value: u32, count: u32) {
        for index in 0..count {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = value.checked_shr(index).unwrap_or(0) & 1 == 1;
            *self.bytes.last_mut().unwrap() |= u8::from(bit) << (self.at % 8);
            self.at += 1;
        }
    }

    /// A code with a single symbol, 0 or 1.
    fn single_symbol_code(&mut self, symbol: u32) {
        self.push(1, 2);
        self.push(symbol << 1, 2);
    }

    /// Codes of 8 bits for the first 256 of `symbols`.
    fn eight_bit_codes(&mut self, symbols: u32) {
        const CODE_LENGTH_ORDER: [u32; 12] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8];
        self.push(0, 1);
        self.push(8, 4);
        for length in CODE_LENGTH_ORDER {
            self.push(u32::from(length == 8 || length == 18), 3);
        }
        self.push(0, 1);
        self.push(0, 256);
        if symbols > 256 {
            self.push(1, 1);
            self.push(symbols - 256 - 11, 7);
        }
    }

    /// Codes of 11 bits for 2 048 symbols.
    fn eleven_bit_codes(&mut self) {
        self.push(0, 1);
        self.push(11, 4);
        // Length 11, the fifteenth in order, is the only one with a code, which is empty then.
        self.push(0, 14 * 3);
        self.push(1, 3);
        self.push(1, 1);
        self.push(5, 3);
        self.push(2046, 12);
    }
}
