use super::chunk::{Chunk, le_integer};
use crate::error::Damage;

/// Still image of a file, or the first frame of an animation.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Left and top on the canvas.
    pub(super) position: (u32, u32),
    pub(super) size: (u32, u32),
    pub(super) is_animated: bool,
    pub(super) coding: Coding,
    /// True if a lossless image declares that it uses alpha.
    pub(super) uses_alpha: bool,
    /// Content of the `ALPH` chunk of a lossy image.
    pub(super) alpha: Option<&'a [u8]>,
    bitstream: &'a [u8],
}

/// Bitstream format of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// VP8, in YCbCr.
    Lossy,
    /// VP8L, in RGBA.
    Lossless,
}

/// Length of the frame header in an `ANMF` chunk (RFC 9649, 2.7.1.2).
const ANMF_HEADER_BYTES: usize = 16;

/// Length of a lossless bitstream's signature, size, alpha flag and version (RFC 9649, 3.4).
const VP8L_HEADER_BYTES: usize = 5;

impl<'a> Frame<'a> {
    /// Still image, by its `VP8 ` or `VP8L` chunk and the `ALPH` chunk before that.
    pub(super) fn still(kind: [u8; 4], alpha: Option<&'a [u8]>, bitstream: &'a [u8]) -> Result<Self, Damage> {
        let (coding, size, uses_alpha) = if kind == *b"VP8L" {
            let (size, uses_alpha) = vp8l_header(bitstream).ok_or(Damage::Malformed)?;
            (Coding::Lossless, size, uses_alpha)
        } else {
            (
                Coding::Lossy,
                vp8_size(bitstream).ok_or(Damage::Malformed)?,
                false,
            )
        };
        Ok(Self {
            position: (0, 0),
            size,
            is_animated: false,
            coding,
            uses_alpha,
            alpha: alpha.filter(|_| coding == Coding::Lossy),
            bitstream,
        })
    }

    /// Frame of an animation, by the content of its `ANMF` chunk.
    pub(super) fn animated(content: &'a [u8]) -> Result<Self, Damage> {
        let field = |at: usize| {
            content
                .get(at..at + 3)
                .and_then(le_integer)
                .ok_or(Damage::Malformed)
        };
        let mut chunks = content.get(ANMF_HEADER_BYTES..).ok_or(Damage::Malformed)?;
        let mut alpha = None;
        while !chunks.is_empty() {
            let Chunk { kind, content, rest } = Chunk::first(chunks).map_err(|_| Damage::Malformed)?;
            chunks = rest;
            match kind {
                b"ALPH" => alpha = Some(content),
                b"VP8 " | b"VP8L" => {
                    let frame = Self::still(*kind, alpha, content)?;
                    if frame.size != (field(6)? + 1, field(9)? + 1) {
                        return Err(Damage::Malformed);
                    }
                    return Ok(Self {
                        position: (field(0)? * 2, field(3)? * 2),
                        is_animated: true,
                        ..frame
                    });
                }
                _ => {}
            }
        }
        Err(Damage::Malformed)
    }

    /// Lossless bitstream of the image or of its alpha, from the transforms on.
    pub(super) fn lossless_stream(&self) -> Option<&'a [u8]> {
        match (self.coding, self.alpha) {
            (Coding::Lossless, _) => self.bitstream.get(VP8L_HEADER_BYTES..),
            (Coding::Lossy, Some([flags, stream @ ..])) if flags & 3 == 1 => Some(stream),
            (Coding::Lossy, _) => None,
        }
    }

    /// Upper bound of the length of [`Self::to_file`].
    pub(super) fn max_file_bytes(&self) -> usize {
        const HEADERS: usize = 64;
        self.bitstream.len() + self.alpha.map_or(0, <[u8]>::len) + HEADERS
    }

    /// WebP file of this image alone.
    pub(super) fn to_file(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.max_file_bytes());
        file.extend(*b"RIFF\0\0\0\0WEBP");
        if let Some(alpha) = self.alpha {
            const HAS_ALPHA: u8 = 0x10;
            let [width, height] = [self.size.0, self.size.1].map(|edge| edge.saturating_sub(1).to_le_bytes());
            let ([w0, w1, w2, _], [h0, h1, h2, _]) = (width, height);
            push_chunk(&mut file, *b"VP8X", &[HAS_ALPHA, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
            push_chunk(&mut file, *b"ALPH", alpha);
        }
        let kind = match self.coding {
            Coding::Lossy => *b"VP8 ",
            Coding::Lossless => *b"VP8L",
        };
        push_chunk(&mut file, kind, self.bitstream);
        let length = u32::try_from(file.len() - 8).unwrap_or(u32::MAX);
        if let Some(field) = file.get_mut(4..8) {
            field.copy_from_slice(&length.to_le_bytes());
        }
        file
    }
}

fn push_chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend(kind);
    file.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(content);
    if content.len() % 2 == 1 {
        file.push(0);
    }
}

/// Width and height of a VP8 key frame (RFC 6386, 9.1).
fn vp8_size(bitstream: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = *bitstream else {
        return None;
    };
    // The two highest bits are a hint for upscaling.
    let edge = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    let is_key_frame = tag & 1 == 0;
    is_key_frame.then(|| (edge(w0, w1), edge(h0, h1)))
}

/// Width and height of a VP8L image, and its alpha flag (RFC 9649, 3.4).
fn vp8l_header(bitstream: &[u8]) -> Option<((u32, u32), bool)> {
    let (0x2F, rest) = bitstream.split_first()? else {
        return None;
    };
    let header = u32::from_le_bytes(*rest.first_chunk()?);
    let size = ((header & 0x3FFF) + 1, ((header >> 14) & 0x3FFF) + 1);
    Some((size, (header >> 28) & 1 == 1))
}
