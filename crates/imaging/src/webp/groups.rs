//! The tables of a lossless picture (RFC 9649, 3). Every tile of it may be coded in its own way, and libwebp makes tables
//! for each way before it decodes a pixel: a small file can make it take much memory.

/// Bytes of the tables that libwebp makes for a picture of this size, at most; `stream` begins with the transforms.
pub(super) fn weight(size: (u32, u32), stream: &[u8]) -> u64 {
    /// Five tables as large as they can be, of four bytes an entry, and what leads to them.
    const LARGEST: u64 = (3 * 630 + 410 + 2704) * 4 + 624;
    /// A group takes twenty bits at least, and five tables of 256 entries then. Whatever makes tables larger, takes more.
    const MOST_OF_A_BIT: u64 = (5 * 256 * 4 + 624) / 20 + 1;
    let groups = Stream::new(stream).groups(size).unwrap_or(MOST_GROUPS.into());
    let bits = stream.len() as u64 * 8;
    (groups * LARGEST).min(bits * MOST_OF_A_BIT)
}

const MOST_GROUPS: u32 = 1 << 16;

/// Pixels of transforms and groups that are looked at: honest encoders make much fewer. It bounds the time that this takes.
const MOST_PIXELS: u64 = 1 << 20;

const LITERALS: u16 = 256;
const LENGTHS: u16 = 24;
const DISTANCES: usize = 40;

/// A lossless picture's bits, read as far as its groups are known.
struct Stream<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
    /// Pixels that may still be looked at.
    pixels: u64,
}

impl<'a> Stream<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            pixels: MOST_PIXELS,
        }
    }

    /// How many groups of tables are made; `None` if that can't be told.
    fn groups(mut self, (mut width, height): (u32, u32)) -> Option<u64> {
        let mut seen = [false; 4];
        while self.bit()? {
            let kind = self.bits(2)?;
            let seen = seen.get_mut(kind as usize)?;
            if std::mem::replace(seen, true) {
                return None;
            }
            match kind {
                // Predictors, and colours by one another.
                0 | 1 => {
                    let bits = self.bits(3)? + 2;
                    self.picture((tiles(width, bits), tiles(height, bits)), |_| {})?;
                }
                2 => {}
                _ => {
                    let colours = self.bits(8)? + 1;
                    self.picture((colours, 1), |_| {})?;
                    // Several pixels in one where a few bits tell their colours.
                    let bits = match colours {
                        0..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    width = tiles(width, bits);
                }
            }
        }
        self.cache()?;
        if !self.bit()? {
            return Some(1);
        }
        let bits = self.bits(3)? + 2;
        let mut used = vec![false; MOST_GROUPS as usize];
        let mut last = 0;
        // What a cache holds before anything is put there.
        used.iter_mut().take(1).for_each(|used| *used = true);
        self.picture((tiles(width, bits), tiles(height, bits)), |group| {
            last = last.max(u64::from(group));
            if let Some(used) = used.get_mut(usize::from(group)) {
                *used = true;
            }
        })?;
        // libwebp leaves out what is not used if there are more than this, or more than pixels.
        let is_plain = last < 1000 && last < u64::from(width) * u64::from(height);
        let distinct = used.into_iter().filter(|&used| used).count() as u64;
        Some(if is_plain { last + 1 } else { distinct })
    }

    /// Reads a picture that is coded in a single way, and gives red and green of all its colours, most of them once.
    fn picture(&mut self, (width, height): (u32, u32), mut colour: impl FnMut(u16)) -> Option<()> {
        let mut left = u64::from(width) * u64::from(height);
        self.pixels = self.pixels.checked_sub(left)?;
        let cache = self.cache()?;
        let green = self.code(usize::from(LITERALS + LENGTHS) + cache)?;
        let [red, blue, alpha] = [self.literals()?, self.literals()?, self.literals()?];
        let distance = self.code(DISTANCES)?;
        while left > 0 {
            let symbol = green.read(self)?;
            let taken = if symbol < LITERALS {
                let red = red.read(self)?;
                blue.read(self)?;
                alpha.read(self)?;
                colour(red << 8 | symbol);
                1
            } else if symbol < LITERALS + LENGTHS {
                let length = self.prefixed(symbol - LITERALS)?;
                let distance = distance.read(self)?;
                self.prefixed(distance)?;
                length
            } else {
                1
            };
            left = left.checked_sub(taken)?;
        }
        Some(())
    }

    /// How many colours a picture's cache holds.
    fn cache(&mut self) -> Option<usize> {
        if !self.bit()? {
            return Some(0);
        }
        let bits = self.bits(4)?;
        (1..=11).contains(&bits).then_some(1 << bits)
    }

    fn literals(&mut self) -> Option<Code> {
        self.code(LITERALS.into())
    }

    /// A code for so many symbols.
    fn code(&mut self, symbols: usize) -> Option<Code> {
        // A symbol of a simple code may lie beyond all that there are: it counts for nothing then.
        let mut lengths = vec![0; symbols.max(LITERALS.into())];
        if self.bit()? {
            let has_two = self.bit()?;
            let bits = if self.bit()? { 8 } else { 1 };
            *lengths.get_mut(self.bits(bits)? as usize)? = 1;
            if has_two {
                *lengths.get_mut(self.bits(8)? as usize)? = 1;
            }
        } else {
            self.lengths(lengths.get_mut(..symbols)?)?;
        }
        Code::new(lengths.get(..symbols)?)
    }

    /// The lengths of a code's words, which are coded themselves.
    fn lengths(&mut self, lengths: &mut [u8]) -> Option<()> {
        const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut own = [0; ORDER.len()];
        let count = self.bits(4)? as usize + 4;
        for &symbol in ORDER.get(..count)? {
            *own.get_mut(symbol)? = u8::try_from(self.bits(3)?).ok()?;
        }
        let code = Code::new(&own)?;
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

    /// A length or a distance.
    fn prefixed(&mut self, symbol: u16) -> Option<u64> {
        if symbol < 4 {
            return Some(u64::from(symbol) + 1);
        }
        let bits = u32::from((symbol - 2) >> 1);
        let offset = (2 + u64::from(symbol & 1)) << bits;
        Some(offset + u64::from(self.bits(bits)?) + 1)
    }

    /// A number of up to 24 bits, the lowest of which comes first.
    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for place in 0..count {
            number |= u32::from(self.bit()?) << place;
        }
        Some(number)
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }
}

/// How many tiles with edges of so many pixels, as a power of two, cover an edge.
const fn tiles(edge: u32, bits: u32) -> u32 {
    edge.div_ceil(1 << bits)
}

/// A canonical prefix code.
struct Code {
    /// Words of each length.
    counts: [u16; 16],
    /// All symbols by their words.
    symbols: Vec<u16>,
}

impl Code {
    /// The code in which symbols have words of these lengths; `None` if words are missing, or too many.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16_u8 {
            let of_this = (0_u16..).zip(lengths).filter(|&(_, &other)| other == length);
            let before = symbols.len();
            symbols.extend(of_this.map(|(symbol, _)| symbol));
            *counts.get_mut(usize::from(length))? = u16::try_from(symbols.len() - before).ok()?;
        }
        let free = counts
            .iter()
            .skip(1)
            .try_fold(1_u32, |free, &count| (free * 2).checked_sub(u32::from(count)))?;
        (free == 0 || symbols.len() == 1).then_some(Self { counts, symbols })
    }

    /// The next symbol; the only one there is takes no bits.
    fn read(&self, stream: &mut Stream<'_>) -> Option<u16> {
        if let [only] = self.symbols[..] {
            return Some(only);
        }
        let (mut word, mut first, mut before) = (0, 0, 0);
        for &count in self.counts.iter().skip(1) {
            let count = usize::from(count);
            word = word << 1 | usize::from(stream.bit()?);
            first <<= 1;
            if word < first + count {
                return self.symbols.get(before + word - first).copied();
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
    fn a_picture_without_groups_weighs_one() {
        // No transforms, no cache, no groups.
        assert_eq!(Stream::new(&[0]).groups(SIZE), Some(1));
        assert!(weight(SIZE, &vec![0; 1 << 20]) < 32 << 10);
    }

    #[test]
    fn what_can_not_be_told_weighs_as_much_as_its_bits_can_make() {
        assert_eq!(Stream::new(&[0b100]).groups(SIZE), None, "the groups are missing");
        // The same transform twice, and a cache of no bits.
        for start in [0b10_1101, 0b10] {
            let mut bytes = vec![0; 100_000];
            bytes[0] = start;
            assert_eq!(Stream::new(&bytes).groups(SIZE), None, "{start:b}");
            assert!(weight(SIZE, &bytes) > 200 << 20, "{start:b}");
        }
    }

    #[test]
    fn a_code_has_all_its_words_or_a_single_one() {
        assert!(Code::new(&[1, 1]).is_some());
        assert!(Code::new(&[2, 1, 0, 2]).is_some());
        assert!(Code::new(&[0, 0, 7]).is_some(), "the only symbol");
        assert!(Code::new(&[1, 2]).is_none(), "a word is missing");
        assert!(Code::new(&[1, 1, 1]).is_none(), "too many words");
        assert!(Code::new(&[0, 0]).is_none(), "no word");
    }

    #[test]
    fn words_are_read_from_their_highest_bit_on() {
        let code = Code::new(&[2, 1, 0, 3, 3]).unwrap();
        // 0 is symbol 1, 10 is 0, 110 is 3, 111 is 4.
        let mut stream = Stream::new(&[0b0110_1010, 0b1110]);
        let read: Vec<_> = (0..5).map_while(|_| code.read(&mut stream)).collect();
        assert_eq!(read, [1, 0, 0, 3, 1]);
    }
}
