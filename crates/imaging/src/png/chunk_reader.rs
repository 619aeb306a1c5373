use std::{
    collections::VecDeque,
    io::{self, BufRead, Read, Seek, SeekFrom},
};

/// Reader of several slices of a file, one after another.
#[derive(Debug)]
pub(super) struct ChunkReader<'a>(VecDeque<&'a [u8]>);

impl<'a> ChunkReader<'a> {
    pub(super) fn new(slices: impl Iterator<Item = &'a [u8]>) -> Self {
        Self(slices.filter(|slice| !slice.is_empty()).collect())
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for ChunkReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.0.front().copied().unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if let Some(slice) = self.0.front_mut() {
            *slice = slice.get(amount..).unwrap_or_default();
            if slice.is_empty() {
                self.0.pop_front();
            }
        }
    }
}

/// The `png` crate requires `Seek` and never seeks.
impl Seek for ChunkReader<'_> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
