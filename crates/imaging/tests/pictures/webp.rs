//! The container of WebP files.

/// A chunk's type and content.
pub(crate) type Chunk<'a> = ([u8; 4], &'a [u8]);

pub(crate) fn file(chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    for (kind, content) in chunks {
        file.extend(kind);
        file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        file.extend(*content);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let length = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}
