//! Entropy-coded data of one restart interval, without stuffed bytes, in a sliding window.

/// Capacity of the window in bytes; a power of two, so that a mask bounds every position.
const CAPACITY: usize = 1 << 14;

/// Upper bound of an MCU's size in bytes: 12 blocks of 64 codes of 16 bits with 15 magnitude bits, and a
/// refill.
const MAX_MCU_BYTES: usize = 3072;

/// Bytes kept before the position, so that bits which are already in the register can be read again.
const LOOKBACK: usize = 16;

/// Bytes that are un-stuffed at a time.
const CHUNK: usize = 32;

/// Sliding window over the data of a restart interval.
pub(crate) struct Window<'a> {
    buffer: &'a mut WindowBuffer,
    end: usize,
    source: &'a [u8],
    at: usize,
    is_at_end: bool,
}

/// Memory of a window, reused between images.
pub(crate) type WindowBuffer = [u8; CAPACITY + 8];

/// Memory for a window.
#[allow(
    clippy::large_stack_arrays,
    reason = "16 KiB, zeroed on the heap by the compiler, without a copy on the stack"
)]
pub(crate) fn new_buffer() -> Box<WindowBuffer> {
    Box::new([0; CAPACITY + 8])
}

/// Bit register and position in the window.
#[derive(Clone, Copy)]
pub(crate) struct BitReader {
    /// Next bits, starting at the top bit.
    pub(crate) next: u64,
    /// Number of valid bits, in the low 6 bits; higher bits have no meaning.
    pub(crate) count: u64,
    position: usize,
}

impl BitReader {
    /// The next `count` bits as a number.
    #[inline(always)]
    pub(crate) fn peek(&self, count: u32) -> usize {
        (self.next >> (64 - count)) as usize
    }

    /// Refills the register to at least 56 bits, without a branch.
    #[inline(always)]
    pub(crate) fn refill(&mut self, buffer: &WindowBuffer) {
        let at = self.position & (CAPACITY - 1);
        let next = buffer[at..]
            .first_chunk()
            .map_or(0, |chunk| u64::from_be_bytes(*chunk));
        self.next |= next >> (self.count & 63);
        self.position += ((!self.count >> 3) & 7) as usize;
        self.count |= 0x38;
    }

    /// Drops as many bits as the low 6 bits of `amount` say; the register has to contain them.
    #[inline(always)]
    pub(crate) fn consume(&mut self, amount: u64) {
        self.next <<= amount & 63;
        self.count = self.count.wrapping_sub(amount);
    }

    /// Position of the next bit from the start of the window.
    fn bit_position(&self) -> usize {
        self.position * 8 - (self.count & 63) as usize
    }

    /// Un-reads `amount` bits that were consumed in the same block.
    pub(crate) fn rewind(&mut self, buffer: &WindowBuffer, amount: u64) {
        let position = self.bit_position() - amount as usize;
        *self = Self {
            next: 0,
            count: 0,
            position: position / 8,
        };
        self.refill(buffer);
        self.consume((position % 8) as u64);
    }
}

impl<'a> Window<'a> {
    /// A window over `source` from `at`, the start of a restart interval.
    pub(crate) fn new(buffer: &'a mut WindowBuffer, source: &'a [u8], at: usize) -> Self {
        Self {
            buffer,
            end: 0,
            source,
            at,
            is_at_end: false,
        }
    }

    /// Starts reading the interval at the current position of the source.
    pub(crate) fn begin_interval(&mut self) -> BitReader {
        self.end = LOOKBACK;
        self.is_at_end = false;
        let mut bits = BitReader {
            next: 0,
            count: 0,
            position: LOOKBACK,
        };
        self.fill();
        bits.refill(self.buffer);
        bits
    }

    #[inline(always)]
    pub(crate) fn buffer(&self) -> &WindowBuffer {
        self.buffer
    }

    /// Ensures that a whole MCU can be read; to be called before each MCU.
    #[inline(always)]
    pub(crate) fn ensure_mcu(&mut self, bits: &mut BitReader) {
        if !self.is_at_end && bits.position + MAX_MCU_BYTES > self.end {
            self.shift(bits);
        }
    }

    /// Returns true if more bits were read than the interval has.
    #[inline(always)]
    pub(crate) fn is_overrun(&self, bits: &BitReader) -> bool {
        self.is_at_end && bits.bit_position() > self.end * 8
    }

    /// Skips to the end of the interval and returns the number of its unread bytes.
    pub(crate) fn skip_to_marker(&mut self, bits: &BitReader) -> usize {
        let mut unread = (self.end * 8).saturating_sub(bits.bit_position()) / 8;
        while !self.is_at_end {
            self.end = LOOKBACK;
            self.fill();
            unread += self.end - LOOKBACK;
        }
        unread
    }

    /// Number of the restart marker at the end of the interval; none if it is another marker.
    pub(crate) fn restart_marker(&self) -> Option<u8> {
        match self.source.get(self.at + 1) {
            Some(&marker @ 0xd0..=0xd7) => Some(marker & 7),
            _ => None,
        }
    }

    /// Skips the marker at the end of the interval.
    pub(crate) fn skip_marker(&mut self) {
        self.at += 2;
    }

    #[cold]
    #[inline(never)]
    fn shift(&mut self, bits: &mut BitReader) {
        let from = bits.position - LOOKBACK;
        self.buffer.copy_within(from..self.end, 0);
        self.end -= from;
        bits.position = LOOKBACK;
        self.fill();
    }

    /// Un-stuffs data until the window is full, or up to a marker or the end of the source, and pads these
    /// with zeros.
    fn fill(&mut self) {
        const FILL_END: usize = CAPACITY - MAX_MCU_BYTES;
        while self.end + CHUNK <= FILL_END {
            let Some(chunk) = self.source[self.at..].first_chunk::<CHUNK>() else {
                break;
            };
            self.buffer[self.end..self.end + CHUNK].copy_from_slice(chunk);
            let plain = bytes_before_ff(chunk);
            self.end += plain;
            self.at += plain;
            if plain < CHUNK && !self.take_ff() {
                return self.pad();
            }
        }
        while self.end < FILL_END {
            match self.source.get(self.at) {
                None => return self.pad(),
                Some(0xff) => {
                    if !self.take_ff() {
                        return self.pad();
                    }
                }
                Some(&byte) => {
                    self.buffer[self.end] = byte;
                    self.end += 1;
                    self.at += 1;
                }
            }
        }
    }

    /// At a 0xFF: appends it if it is a data byte and returns true; returns false at a marker or the end of
    /// the source.
    fn take_ff(&mut self) -> bool {
        let mut next = self.at + 1;
        // Any number of fill bytes 0xFF may precede a marker (ITU-T T.81, B.1.1.2).
        while self.source.get(next) == Some(&0xff) {
            next += 1;
        }
        match self.source.get(next) {
            Some(0) => {
                self.buffer[self.end] = 0xff;
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
        self.is_at_end = true;
        self.buffer[self.end..self.end + MAX_MCU_BYTES].fill(0);
    }
}

/// Number of bytes before the first 0xFF.
fn bytes_before_ff(chunk: &[u8; CHUNK]) -> usize {
    const LOW_SEVEN_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const LOWEST_BITS: u64 = 0x0101_0101_0101_0101;
    // Compiles to a vector comparison.
    if chunk.iter().fold(0, |max, &byte| byte.max(max)) < 0xff {
        return CHUNK;
    }
    for (index, word) in chunk.as_chunks().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Only 0xFF keeps its top bit while a carry reaches it.
        let ff = ((word & LOW_SEVEN_BITS) + LOWEST_BITS) & word & !LOW_SEVEN_BITS;
        if ff != 0 {
            return index * 8 + (ff.trailing_zeros() / 8) as usize;
        }
    }
    CHUNK
}
