use crate::error::Damage;

/// A RIFF chunk.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub(super) kind: &'a [u8; 4],
    pub(super) content: &'a [u8],
    /// Bytes after the chunk and its padding.
    pub(super) rest: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk at the start of `bytes`.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (kind, rest) = bytes.split_first_chunk().ok_or(Damage::Truncated)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Damage::Truncated)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (content, rest) = rest.split_at_checked(length).ok_or(Damage::Truncated)?;
        Ok(Self {
            kind,
            content,
            // Chunks are padded to an even length.
            rest: rest.get(length % 2..).unwrap_or_default(),
        })
    }
}

/// Little-endian integer of up to four bytes.
pub(super) fn le_integer(bytes: &[u8]) -> Option<u32> {
    let bytes = bytes.get(..bytes.len().min(4))?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | u32::from(byte)),
    )
}
