//! Memory bound of the prefix code tables of a lossless image (RFC 9649, 3). Every block of it may use its own group of
//! prefix codes, and libwebp builds the tables of all groups before it decodes a pixel: a small file can make it take
//! much memory.

/// Upper bound of the tables in bytes that libwebp builds for an image of this size; `stream` starts with the
/// transforms.
pub(super) fn max_table_bytes(size: (u32, u32), stream: &[u8]) -> u64 {
    /// Five tables of maximum size, with four bytes an entry, and the group that refers to them.
    const MAX_GROUP_BYTES: u64 = (3 * 630 + 410 + 2704) * 4 + 624;
    /// A group takes at least twenty bits, with five tables of 256 entries. Larger tables take more bits.
    const MAX_BYTES_PER_BIT: u64 = (5 * 256 * 4 + 624) / 20 + 1;
    let groups = BitReader::new(stream).groups(size).unwrap_or(MAX_GROUPS.into());
    let bits = stream.len() as u64 * 8;
    (groups * MAX_GROUP_BYTES).min(bits * MAX_BYTES_PER_BIT)
}

const MAX_GROUPS: u32 = 1 << 16;

/// Pixels of transform and entropy images that are decoded, far more than encoders write. It bounds the time of the
/// scan.
const MAX_DECODED_PIXELS: u64 = 1 << 20;

/// Symbols for literals, for length prefixes, and for distance prefixes.
const LITERALS: u16 = 256;
const LENGTHS: u16 = 24;
const DISTANCES: usize = 40;

/// Reader of a lossless bitstream up to its prefix code groups.
struct BitReader<'a> {
    bytes: &'a [u8],
    /// Position in bits.
    at: usize,
    /// Pixels that may still be decoded.
    pixels: u64,
}

impl<'a> BitReader<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            pixels: MAX_DECODED_PIXELS,
        }
    }

    /// Number of groups whose tables libwebp builds; `None` if the stream is malformed or takes too long to scan.
    fn groups(mut self, (mut width, height): (u32, u32)) -> Option<u64> {
        let mut seen = [false; 4];
        while self.bit()? {
            let transform = self.bits(2)?;
            let seen = seen.get_mut(transform as usize)?;
            if std::mem::replace(seen, true) {
                return None;
            }
            match transform {
                // Predictor and colour transform.
                0 | 1 => {
                    let bits = self.bits(3)? + 2;
                    self.image((blocks(width, bits), blocks(height, bits)), |_| {})?;
                }
                // Subtract green.
                2 => {}
                // Colour indexing.
                _ => {
                    let colours = self.bits(8)? + 1;
                    self.image((colours, 1), |_| {})?;
                    // Several indices are packed into one pixel.
                    let bits = match colours {
                        0..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    width = blocks(width, bits);
                }
            }
        }
        self.colour_cache()?;
        if !self.bit()? {
            return Some(1);
        }
        let bits = self.bits(3)? + 2;
        let mut used = vec![false; MAX_GROUPS as usize];
        let mut last = 0;
        // Group 0, which an empty colour cache yields.
        used.iter_mut().take(1).for_each(|used| *used = true);
        self.image((blocks(width, bits), blocks(height, bits)), |group| {
            last = last.max(u64::from(group));
            if let Some(used) = used.get_mut(usize::from(group)) {
                *used = true;
            }
        })?;
        // libwebp skips unused groups only if there are more groups than this, or more than pixels.
        let keeps_unused = last < 1000 && last < u64::from(width) * u64::from(height);
        let distinct = used.into_iter().filter(|&used| used).count() as u64;
        Some(if keeps_unused { last + 1 } else { distinct })
    }

    /// Decodes an image with a single group. Calls `colour` with red and green of each literal pixel; copies of earlier
    /// pixels are skipped.
    fn image(&mut self, (width, height): (u32, u32), mut colour: impl FnMut(u16)) -> Option<()> {
        let mut left = u64::from(width) * u64::from(height);
        self.pixels = self.pixels.checked_sub(left)?;
        let cache_size = self.colour_cache()?;
        let green = self.prefix_code(usize::from(LITERALS + LENGTHS) + cache_size)?;
        let [red, blue, alpha] = [self.literal_code()?, self.literal_code()?, self.literal_code()?];
        let distance = self.prefix_code(DISTANCES)?;
        while left > 0 {
            let symbol = green.read(self)?;
            let decoded = if symbol < LITERALS {
                let red = red.read(self)?;
                blue.read(self)?;
                alpha.read(self)?;
                colour(red << 8 | symbol);
                1
            } else if symbol < LITERALS + LENGTHS {
                let length = self.prefix_value(symbol - LITERALS)?;
                let distance = distance.read(self)?;
                self.prefix_value(distance)?;
                length
            } else {
                1
            };
            left = left.checked_sub(decoded)?;
        }
        Some(())
    }

    /// Number of colours in the colour cache of an image; 0 if it has none.
    fn colour_cache(&mut self) -> Option<usize> {
        if !self.bit()? {
            return Some(0);
        }
        let bits = self.bits(4)?;
        (1..=11).contains(&bits).then_some(1 << bits)
    }

    fn literal_code(&mut self) -> Option<PrefixCode> {
        self.prefix_code(LITERALS.into())
    }

    /// Prefix code of this many symbols.
    fn prefix_code(&mut self, symbols: usize) -> Option<PrefixCode> {
        // A simple code may name a symbol beyond the last one, which is ignored.
        let mut lengths = vec![0; symbols.max(LITERALS.into())];
        if self.bit()? {
            let has_two = self.bit()?;
            let bits = if self.bit()? { 8 } else { 1 };
            *lengths.get_mut(self.bits(bits)? as usize)? = 1;
            if has_two {
                *lengths.get_mut(self.bits(8)? as usize)? = 1;
            }
        } else {
            self.code_lengths(lengths.get_mut(..symbols)?)?;
        }
        PrefixCode::new(lengths.get(..symbols)?)
    }

    /// Code lengths of a normal prefix code, which have a prefix code of their own.
    fn code_lengths(&mut self, lengths: &mut [u8]) -> Option<()> {
        const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut own = [0; ORDER.len()];
        let count = self.bits(4)? as usize + 4;
        for &symbol in ORDER.get(..count)? {
            *own.get_mut(symbol)? = u8::try_from(self.bits(3)?).ok()?;
        }
        let code = PrefixCode::new(&own)?;
        let mut left = lengths.len();
        if self.bit()? {
            let bits = 2 + 2 * self.bits(3)?;
            left = self.bits(bits)? as usize + 2;
            if left > lengths.len() {
                return None;
            }
        }
        let mut previous = 8;
        let mut at = 0;
        while at < lengths.len() && left > 0 {
            left -= 1;
            let (length, times) = match code.read(self)? {
                16 => (previous, self.bits(2)? + 3),
                17 => (0, self.bits(3)? + 3),
                18 => (0, self.bits(7)? + 11),
                length => (u8::try_from(length).ok()?, 1),
            };
            if length > 0 {
                previous = length;
            }
            let end = at + times as usize;
            lengths.get_mut(at..end)?.fill(length);
            at = end;
        }
        Some(())
    }

    /// Length or distance, by its prefix symbol and extra bits.
    fn prefix_value(&mut self, symbol: u16) -> Option<u64> {
        if symbol < 4 {
            return Some(u64::from(symbol) + 1);
        }
        let bits = u32::from((symbol - 2) >> 1);
        let offset = (2 + u64::from(symbol & 1)) << bits;
        Some(offset + u64::from(self.bits(bits)?) + 1)
    }

    /// Integer of up to 24 bits, least significant bit first.
    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut integer = 0;
        for position in 0..count {
            integer |= u32::from(self.bit()?) << position;
        }
        Some(integer)
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }
}

/// Blocks of `1 << bits` pixels that cover an edge.
const fn blocks(edge: u32, bits: u32) -> u32 {
    edge.div_ceil(1 << bits)
}

/// Canonical prefix code.
struct PrefixCode {
    /// Number of codes by length.
    counts: [u16; 16],
    /// Symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl PrefixCode {
    /// Code by the code lengths of all symbols; `None` if it is incomplete or oversubscribed.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16_u8 {
            let of_this_length = (0_u16..).zip(lengths).filter(|&(_, &other)| other == length);
            let before = symbols.len();
            symbols.extend(of_this_length.map(|(symbol, _)| symbol));
            *counts.get_mut(usize::from(length))? = u16::try_from(symbols.len() - before).ok()?;
        }
        let free = counts
            .iter()
            .skip(1)
            .try_fold(1_u32, |free, &count| (free * 2).checked_sub(u32::from(count)))?;
        (free == 0 || symbols.len() == 1).then_some(Self { counts, symbols })
    }

    /// Reads the next symbol. The symbol of a code with a single one takes no bits.
    fn read(&self, stream: &mut BitReader<'_>) -> Option<u16> {
        if let [only] = self.symbols[..] {
            return Some(only);
        }
        let (mut code, mut first, mut before) = (0, 0, 0);
        for &count in self.counts.iter().skip(1) {
            let count = usize::from(count);
            code = code << 1 | usize::from(stream.bit()?);
            first <<= 1;
            if code < first + count {
                return self.symbols.get(before + code - first).copied();
            }
            first += count;
            before += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (1024, 1024);

    #[test]
    fn an_image_without_an_entropy_image_has_one_group() {
        // No transforms, no colour cache, no entropy image.
        assert_eq!(BitReader::new(&[0]).groups(SIZE), Some(1));
        assert!(max_table_bytes(SIZE, &vec![0; 1 << 20]) < 32 << 10);
    }

    #[test]
    fn malformed_streams_are_bounded_by_their_length() {
        assert_eq!(
            BitReader::new(&[0b100]).groups(SIZE),
            None,
            "the entropy image is missing"
        );
        // The same transform twice, and a colour cache of no bits.
        for start in [0b10_1101, 0b10] {
            let mut bytes = vec![0; 100_000];
            bytes[0] = start;
            assert_eq!(BitReader::new(&bytes).groups(SIZE), None, "{start:b}");
            assert!(max_table_bytes(SIZE, &bytes) > 200 << 20, "{start:b}");
        }
    }

    #[test]
    fn a_prefix_code_is_complete_or_has_a_single_symbol() {
        assert!(PrefixCode::new(&[1, 1]).is_some());
        assert!(PrefixCode::new(&[2, 1, 0, 2]).is_some());
        assert!(PrefixCode::new(&[0, 0, 7]).is_some(), "a single symbol");
        assert!(PrefixCode::new(&[1, 2]).is_none(), "incomplete");
        assert!(PrefixCode::new(&[1, 1, 1]).is_none(), "oversubscribed");
        assert!(PrefixCode::new(&[0, 0]).is_none(), "no symbol");
    }

    #[test]
    fn codes_are_read_from_their_most_significant_bit_on() {
        let code = PrefixCode::new(&[2, 1, 0, 3, 3]).unwrap();
        // 0 is symbol 1, 10 is 0, 110 is 3, 111 is 4.
        let mut stream = BitReader::new(&[0b0110_1010, 0b1110]);
        let read: Vec<_> = (0..5).map_while(|_| code.read(&mut stream)).collect();
        assert_eq!(read, [1, 0, 0, 3, 1]);
    }
}
