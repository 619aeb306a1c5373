use std::io::{self, Read};

use super::layout::{Layout, Section};

/// Bytes after each scan's data. All bits are 1, and no Huffman code consists of ones only (ITU-T T.81, C.2): a decoder
/// that needs more data than the scan has gets an error instead of continuing with zeros. A decoder that is done reads
/// them only to fill its buffer of 64 bits.
const SCAN_GUARD: [u8; 16] = [
    0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0,
];

/// Reader of a JPEG file without its metadata, with a guard after each scan, and always with EOI.
#[derive(Debug)]
pub(super) struct SectionReader<'a> {
    current: &'a [u8],
    remaining: std::vec::IntoIter<&'a [u8]>,
}

impl<'a> SectionReader<'a> {
    pub(super) fn new(layout: &Layout<'a>) -> Self {
        let mut slices: Vec<&[u8]> = Vec::with_capacity(layout.sections.len() * 2 + 1);
        for section in &layout.sections {
            match section {
                Section::Segment(segment) => slices.push(segment),
                Section::EntropyCoded(data) => slices.extend([data, &SCAN_GUARD[..]]),
            }
        }
        slices.push(&[0xFF, 0xD9]);
        Self {
            current: &[0xFF, 0xD8],
            remaining: slices.into_iter(),
        }
    }
}

impl Read for SectionReader<'_> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.remaining.next() {
                Some(slice) => self.current = slice,
                None => return Ok(0),
            }
        }
        self.current.read(buffer)
    }

    /// Has a fast path for a single byte, because the decoder reads byte by byte.
    #[inline]
    fn read_exact(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        if let ([target], [byte, rest @ ..]) = (&mut *buffer, self.current) {
            *target = *byte;
            self.current = rest;
            return Ok(());
        }
        while !buffer.is_empty() {
            let read = self.read(buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }
}
