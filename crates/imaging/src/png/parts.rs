use std::{
    collections::VecDeque,
    io::{self, BufRead, Read, Seek, SeekFrom},
};

/// Parts of a file, one behind the other, for a decoder.
#[derive(Debug)]
pub(super) struct Parts<'a>(VecDeque<&'a [u8]>);

impl<'a> Parts<'a> {
    pub(super) fn new(parts: impl Iterator<Item = &'a [u8]>) -> Self {
        Self(parts.filter(|part| !part.is_empty()).collect())
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Parts<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.0.front().copied().unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if let Some(part) = self.0.front_mut() {
            *part = part.get(amount..).unwrap_or_default();
            if part.is_empty() {
                self.0.pop_front();
            }
        }
    }
}

/// The decoder's reader has to be able to, and never does.
impl Seek for Parts<'_> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
