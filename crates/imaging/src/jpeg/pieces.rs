use std::io::{self, Read};

use crate::jpeg::{Layout, Piece};

/// Follows each scan's data. Every bit is 1, and no code consists of ones only (ITU-T T.81, C.2): a decoder that needs
/// more data than a scan has gets an error, where it would otherwise go on in silence with made-up zeros. One that is
/// done never looks at it, except to fill its buffer of 64 bits.
const END_OF_SCAN: [u8; 16] = [
    0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0,
];

/// A JPEG file for a decoder: without metadata, with what follows each scan, and always with an end.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    current: &'a [u8],
    coming: std::vec::IntoIter<&'a [u8]>,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(layout: &Layout<'a>) -> Self {
        let mut parts: Vec<&[u8]> = Vec::with_capacity(layout.pieces.len() * 2 + 1);
        for piece in &layout.pieces {
            match piece {
                Piece::Segment(segment) => parts.push(segment),
                Piece::Scan(data) => parts.extend([data, &END_OF_SCAN[..]]),
            }
        }
        parts.push(&[0xFF, 0xD9]);
        Self {
            current: &[0xFF, 0xD8],
            coming: parts.into_iter(),
        }
    }
}

impl Read for Pieces<'_> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.coming.next() {
                Some(part) => self.current = part,
                None => return Ok(0),
            }
        }
        self.current.read(buffer)
    }

    /// Decoders read byte by byte: that has to be short.
    #[inline]
    fn read_exact(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        if let ([place], [byte, rest @ ..]) = (&mut *buffer, self.current) {
            *place = *byte;
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
