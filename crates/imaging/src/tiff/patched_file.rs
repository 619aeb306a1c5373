use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// Value of `PhotometricInterpretation` for greyscale.
const BLACK_IS_ZERO: u8 = 1;

/// File in memory whose `PhotometricInterpretation` can read as `BlackIsZero`. The `tiff` crate does not decode palette
/// images, but from a greyscale file of the same layout it returns the palette indices unchanged.
#[derive(Debug)]
pub(super) struct PatchedFile<'a> {
    file: Cursor<&'a [u8]>,
    /// Offset of the byte that reads as [`BLACK_IS_ZERO`].
    patched: Option<u64>,
}

impl<'a> PatchedFile<'a> {
    /// The file as it is.
    pub(super) fn unchanged(file: &'a [u8]) -> Self {
        Self {
            file: Cursor::new(file),
            patched: None,
        }
    }

    /// The file as greyscale; `photometric` is the offset of the low byte of its `PhotometricInterpretation`.
    pub(super) fn with_black_is_zero(file: &'a [u8], photometric: usize) -> Self {
        Self {
            patched: Some(photometric as u64),
            ..Self::unchanged(file)
        }
    }
}

impl Read for PatchedFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.file.position();
        let read = self.file.read(buffer)?;
        if let Some(offset) = self.patched
            && let Some(at) = offset.checked_sub(start).and_then(|at| usize::try_from(at).ok())
            && let Some(byte) = buffer.get_mut(..read).and_then(|read| read.get_mut(at))
        {
            *byte = BLACK_IS_ZERO;
        }
        Ok(read)
    }
}

impl Seek for PatchedFile<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
