//! The entropy-coded data of one restart interval, freed of stuffed bytes a window at a time.

/// Room for data; a power of two, so that a mask keeps every position inside.
const CAPACITY: usize = 1 << 14;

/// What one MCU can need at most: 12 blocks of 64 codes of 16 bits with 15 bits of magnitude, and a refill beyond.
const LOOKAHEAD: usize = 3072;

/// Bytes that stay in front of the position, so that bits which are already in the register can be read again.
const BEHIND: usize = 16;

/// Bytes that are un-stuffed at a time.
const STRIDE: usize = 32;

/// What a window holds and what comes after it.
pub(crate) struct Window<'a> {
    bytes: &'a mut Bytes,
    end: usize,
    source: &'a [u8],
    at: usize,
    finished: bool,
}

/// The window's memory, reused between pictures.
pub(crate) type Bytes = [u8; CAPACITY + 8];

/// An empty window's memory.
#[allow(
    clippy::large_stack_arrays,
    reason = "16 KiB, and the compiler puts them right where they belong"
)]
pub(crate) fn bytes() -> Box<Bytes> {
    Box::new([0; CAPACITY + 8])
}

/// A position in the window with the bits that are next.
#[derive(Clone, Copy)]
pub(crate) struct Bits {
    /// The next bits, from the top.
    pub(crate) next: u64,
    /// How many of them are real in its low 6 bits; what is above has no meaning.
    pub(crate) count: u64,
    position: usize,
}

impl Bits {
    /// The next bits as a number.
    #[inline(always)]
    pub(crate) fn peek(&self, count: u32) -> usize {
        (self.next >> (64 - count)) as usize
    }

    /// Tops the register up to at least 56 bits, without a branch.
    #[inline(always)]
    pub(crate) fn refill(&mut self, bytes: &Bytes) {
        let at = self.position & (CAPACITY - 1);
        let next = bytes[at..]
            .first_chunk()
            .map_or(0, |chunk| u64::from_be_bytes(*chunk));
        self.next |= next >> (self.count & 63);
        self.position += ((!self.count >> 3) & 7) as usize;
        self.count |= 0x38;
    }

    /// Drops the bits that the low 6 bits of `amount` say; the register has to hold them.
    #[inline(always)]
    pub(crate) fn consume(&mut self, amount: u64) {
        self.next <<= amount & 63;
        self.count = self.count.wrapping_sub(amount);
    }

    /// The number of bits before the next one, counted from the start of the window.
    fn bit_position(&self) -> usize {
        self.position * 8 - (self.count & 63) as usize
    }

    /// Takes `amount` bits back that were consumed in the same block.
    pub(crate) fn rewind(&mut self, bytes: &Bytes, amount: u64) {
        let position = self.bit_position() - amount as usize;
        *self = Self {
            next: 0,
            count: 0,
            position: position / 8,
        };
        self.refill(bytes);
        self.consume((position % 8) as u64);
    }
}

impl<'a> Window<'a> {
    /// A window over `source` from `at`, where a restart interval begins.
    pub(crate) fn new(bytes: &'a mut Bytes, source: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            end: 0,
            source,
            at,
            finished: false,
        }
    }

    /// Begins the interval that starts at the current place of the source.
    pub(crate) fn start(&mut self) -> Bits {
        self.end = BEHIND;
        self.finished = false;
        let mut bits = Bits {
            next: 0,
            count: 0,
            position: BEHIND,
        };
        self.fill();
        bits.refill(self.bytes);
        bits
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> &Bytes {
        self.bytes
    }

    /// Makes sure that a whole MCU can be read; to be called before each.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, bits: &mut Bits) {
        if !self.finished && bits.position + LOOKAHEAD > self.end {
            self.advance(bits);
        }
    }

    /// Whether more was read than there is.
    #[inline(always)]
    pub(crate) fn is_overrun(&self, bits: &Bits) -> bool {
        self.finished && bits.bit_position() > self.end * 8
    }

    /// Goes to the end of the interval, and tells how many bytes of it were not read.
    pub(crate) fn finish(&mut self, bits: &Bits) -> usize {
        let mut left = (self.end * 8).saturating_sub(bits.bit_position()) / 8;
        while !self.finished {
            self.end = BEHIND;
            self.fill();
            left += self.end - BEHIND;
        }
        left
    }

    /// The number of the restart marker that ended the interval, if that is what ended it.
    pub(crate) fn restart_marker(&self) -> Option<u8> {
        match self.source.get(self.at + 1) {
            Some(&marker @ 0xd0..=0xd7) => Some(marker & 7),
            _ => None,
        }
    }

    /// Goes behind the marker that ended the interval.
    pub(crate) fn pass_marker(&mut self) {
        self.at += 2;
    }

    #[cold]
    #[inline(never)]
    fn advance(&mut self, bits: &mut Bits) {
        let from = bits.position - BEHIND;
        self.bytes.copy_within(from..self.end, 0);
        self.end -= from;
        bits.position = BEHIND;
        self.fill();
    }

    /// Un-stuffs until the window is full or a marker (or the end of the source) is met; zeros follow then.
    fn fill(&mut self) {
        const ROOM: usize = CAPACITY - LOOKAHEAD;
        while self.end + STRIDE <= ROOM {
            let Some(chunk) = self.source[self.at..].first_chunk::<STRIDE>() else {
                break;
            };
            self.bytes[self.end..self.end + STRIDE].copy_from_slice(chunk);
            let plain = bytes_before_ff(chunk);
            self.end += plain;
            self.at += plain;
            if plain < STRIDE && !self.pass_ff() {
                return self.pad();
            }
        }
        while self.end < ROOM {
            match self.source.get(self.at) {
                None => return self.pad(),
                Some(0xff) => {
                    if !self.pass_ff() {
                        return self.pad();
                    }
                }
                Some(&byte) => {
                    self.bytes[self.end] = byte;
                    self.end += 1;
                    self.at += 1;
                }
            }
        }
    }

    /// At 0xFF: takes it over if it is data; false if it begins a marker or nothing follows.
    fn pass_ff(&mut self) -> bool {
        let mut next = self.at + 1;
        // Any number of 0xFF may stand before a marker.
        while self.source.get(next) == Some(&0xff) {
            next += 1;
        }
        match self.source.get(next) {
            Some(0) => {
                self.bytes[self.end] = 0xff;
                self.end += 1;
                self.at = next + 1;
                true
            }
            Some(_) => {
                self.at = next - 1;
                false
            }
            None => {
                self.at = self.source.len();
                false
            }
        }
    }

    fn pad(&mut self) {
        self.finished = true;
        self.bytes[self.end..self.end + LOOKAHEAD].fill(0);
    }
}

/// How many bytes stand before the first 0xFF.
fn bytes_before_ff(chunk: &[u8; STRIDE]) -> usize {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONE: u64 = 0x0101_0101_0101_0101;
    // Compiles to a comparison of vectors.
    if chunk.iter().fold(0, |most, &byte| byte.max(most)) < 0xff {
        return STRIDE;
    }
    for (index, word) in chunk.as_chunks().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Only 0xFF keeps its top bit and carries into it.
        let ff = ((word & LOW) + ONE) & word & !LOW;
        if ff != 0 {
            return index * 8 + (ff.trailing_zeros() / 8) as usize;
        }
    }
    STRIDE
}
