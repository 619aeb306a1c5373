//! Huffman codes as defined by DHT segments.

use crate::error::Corrupt;

/// A Huffman code as in a DHT segment: the number of codes of each length, and their symbols in order.
#[derive(Clone, PartialEq)]
pub(crate) struct Code {
    counts: [u8; 16],
    symbols: [u8; 256],
}

impl Code {
    /// Accepts any prefix code, including one that uses the code of all ones.
    pub(crate) fn new(counts: [u8; 16], symbols: &[u8]) -> Result<Self, Corrupt> {
        let mut space = 1u32 << 16;
        for (length, &count) in (1..).zip(&counts) {
            let taken = u32::from(count) << (16 - length);
            space = space.checked_sub(taken).ok_or(Corrupt::Huffman)?;
        }
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total == 0 || total > 256 || total != symbols.len() {
            return Err(Corrupt::Huffman);
        }
        let mut all = [0; 256];
        all[..total].copy_from_slice(symbols);
        Ok(Self { counts, symbols: all })
    }

    /// The symbol whose code the top bits of `bits` begin with, and the length of that code.
    ///
    /// Canonical decoding (ITU-T T.81, F.2.2.3), for the rare codes that are longer than a look-up.
    pub(crate) fn symbol(&self, bits: u64) -> Option<(u32, u8)> {
        let mut first = 0u32;
        let mut index = 0u32;
        for (length, &count) in (1u32..).zip(&self.counts) {
            let code = (bits >> (64 - length)) as u32;
            let count = u32::from(count);
            if code < first + count {
                return Some((length, self.symbols[((index + code - first) & 255) as usize]));
            }
            first = (first + count) << 1;
            index += count;
        }
        None
    }

    /// Symbols by code length.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut from = 0;
        (1..).zip(&self.counts).map(move |(length, &count)| {
            let symbols = &self.symbols[from..from + usize::from(count)];
            from += usize::from(count);
            (length, symbols)
        })
    }
}

/// Value of `size` magnitude bits (ITU-T T.81, F.2.2.1, EXTEND).
pub(crate) fn extend(raw: u32, size: u32) -> i32 {
    if size == 0 {
        0
    } else if raw >> (size - 1) == 0 {
        raw as i32 - (1 << size) + 1
    } else {
        raw as i32
    }
}
