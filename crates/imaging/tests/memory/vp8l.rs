//! A writer of lossless WebP pictures whose tiles are coded in many ways, which no encoder gives.

/// A picture of zeros, each tile of which is coded in a way of its own up to so many ways.
#[derive(Clone, Copy)]
pub(crate) struct Tiled {
    pub(crate) size: (u32, u32),
    /// Of a tile's edge.
    pub(crate) bits: u32,
    pub(crate) groups: u32,
    /// With codes of many words, which take large tables.
    pub(crate) large: bool,
}

impl Tiled {
    /// The content of a `VP8L` chunk.
    pub(crate) fn picture(self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.push(0x2F, 8);
        bits.push(self.size.0 - 1, 14);
        bits.push(self.size.1 - 1, 14);
        bits.push(0, 4);
        self.write(&mut bits);
        bits.bytes
    }

    /// The content of an `ALPH` chunk.
    pub(crate) fn alpha(self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.push(1, 8);
        self.write(&mut bits);
        bits.bytes
    }

    fn write(self, bits: &mut Bits) {
        let (width, height) = self.size;
        let edge = 1 << self.bits;
        // No transforms.
        bits.push(0, 1);
        bits.push(u32::from(self.large), 1);
        if self.large {
            bits.push(11, 4);
        }
        bits.push(1, 1);
        bits.push(self.bits - 2, 3);
        // The picture of the groups has no cache. Its green and red have words of eight bits for all that can be.
        bits.push(0, 1);
        bits.eights(280);
        bits.eights(256);
        (0..3).for_each(|_| bits.only(0));
        for tile in 0..width.div_ceil(edge) * height.div_ceil(edge) {
            let [green, red, ..] = (tile % self.groups).to_le_bytes();
            bits.push(green.reverse_bits().into(), 8);
            bits.push(red.reverse_bits().into(), 8);
        }
        for _ in 0..self.groups {
            if self.large {
                bits.elevens();
            } else {
                bits.only(0);
            }
            (0..4).for_each(|_| bits.only(0));
        }
        let zeros = if self.large { width * height * 11 } else { 0 };
        bits.bytes
            .resize(bits.bytes.len() + zeros.div_ceil(8) as usize + 8, 0);
    }
}

/// Bits, of which each byte's lowest comes first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for place in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = value.checked_shr(place).unwrap_or(0) & 1 == 1;
            *self.bytes.last_mut().unwrap() |= u8::from(bit) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A code of a single symbol, 0 or 1.
    fn only(&mut self, symbol: u32) {
        self.push(1, 2);
        self.push(symbol << 1, 2);
    }

    /// A code of 256 words of eight bits, in an alphabet of so many symbols.
    fn eights(&mut self, symbols: u32) {
        const ORDER: [u32; 12] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8];
        self.push(0, 1);
        self.push(8, 4);
        for length in ORDER {
            self.push(u32::from(length == 8 || length == 18), 3);
        }
        self.push(0, 1);
        self.push(0, 256);
        if symbols > 256 {
            self.push(1, 1);
            self.push(symbols - 256 - 11, 7);
        }
    }

    /// A code of 2 048 words of eleven bits.
    fn elevens(&mut self) {
        self.push(0, 1);
        self.push(11, 4);
        // The fifteenth length, of 11, is the only one there is: it takes no bits then.
        self.push(0, 14 * 3);
        self.push(1, 3);
        self.push(1, 1);
        self.push(5, 3);
        self.push(2046, 12);
    }
}
