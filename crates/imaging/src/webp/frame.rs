use super::chunk::{Chunk, number};
use crate::form::Damage;

/// One picture of a file: the only one, or an animation's first.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Its upper left corner on the canvas.
    pub(super) at: (u32, u32),
    pub(super) size: (u32, u32),
    pub(super) animated: bool,
    pub(super) coding: Coding,
    /// A lossless picture can be seen through somewhere.
    pub(super) transparent: bool,
    /// The alpha plane of a lossy picture.
    pub(super) alpha: Option<&'a [u8]>,
    data: &'a [u8],
}

/// How pixels are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// VP8, in light and tints.
    Lossy,
    /// VP8L, in red, green, blue and alpha.
    Lossless,
}

/// The header of an animation's frame (RFC 9649, 2.7.1.2).
const ANIMATION_HEADER: usize = 16;

/// A lossless picture's signature, size, and version (RFC 9649, 3.4).
const LOSSLESS_HEADER: usize = 5;

impl<'a> Frame<'a> {
    /// A picture's chunk, and the alpha chunk before it.
    pub(super) fn still(kind: [u8; 4], alpha: Option<&'a [u8]>, data: &'a [u8]) -> Result<Self, Damage> {
        let (coding, size, transparent) = if kind == *b"VP8L" {
            let (size, transparent) = lossless_header(data).ok_or(Damage::Malformed)?;
            (Coding::Lossless, size, transparent)
        } else {
            (Coding::Lossy, lossy_header(data).ok_or(Damage::Malformed)?, false)
        };
        Ok(Self {
            at: (0, 0),
            size,
            animated: false,
            coding,
            transparent,
            alpha: alpha.filter(|_| coding == Coding::Lossy),
            data,
        })
    }

    /// What an animation's frame chunk holds.
    pub(super) fn animated(content: &'a [u8]) -> Result<Self, Damage> {
        let field = |at: usize| content.get(at..at + 3).and_then(number).ok_or(Damage::Malformed);
        let mut rest = content.get(ANIMATION_HEADER..).ok_or(Damage::Malformed)?;
        let mut alpha = None;
        while !rest.is_empty() {
            let Chunk { kind, content, after } = Chunk::first(rest).map_err(|_| Damage::Malformed)?;
            rest = after;
            match kind {
                b"ALPH" => alpha = Some(content),
                b"VP8 " | b"VP8L" => {
                    let frame = Self::still(*kind, alpha, content)?;
                    if frame.size != (field(6)? + 1, field(9)? + 1) {
                        return Err(Damage::Malformed);
                    }
                    return Ok(Self {
                        at: (field(0)? * 2, field(3)? * 2),
                        animated: true,
                        ..frame
                    });
                }
                _ => {}
            }
        }
        Err(Damage::Malformed)
    }

    /// What is coded without loss: a whole picture, or the alpha of another, from its transforms on.
    pub(super) fn lossless_stream(&self) -> Option<&'a [u8]> {
        match (self.coding, self.alpha) {
            (Coding::Lossless, _) => self.data.get(LOSSLESS_HEADER..),
            (Coding::Lossy, Some([kind, stream @ ..])) if kind & 3 == 1 => Some(stream),
            (Coding::Lossy, _) => None,
        }
    }

    /// Bytes that [`Self::file`] has at most.
    pub(super) fn length(&self) -> usize {
        const HEADERS: usize = 64;
        self.data.len() + self.alpha.map_or(0, <[u8]>::len) + HEADERS
    }

    /// A file of this picture alone.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.length());
        file.extend(*b"RIFF\0\0\0\0WEBP");
        if let Some(alpha) = self.alpha {
            const HAS_ALPHA: u8 = 0x10;
            let [width, height] = [self.size.0, self.size.1].map(|edge| edge.saturating_sub(1).to_le_bytes());
            let ([w0, w1, w2, _], [h0, h1, h2, _]) = (width, height);
            chunk(&mut file, *b"VP8X", &[HAS_ALPHA, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
            chunk(&mut file, *b"ALPH", alpha);
        }
        let kind = match self.coding {
            Coding::Lossy => *b"VP8 ",
            Coding::Lossless => *b"VP8L",
        };
        chunk(&mut file, kind, self.data);
        let length = u32::try_from(file.len() - 8).unwrap_or(u32::MAX);
        if let Some(place) = file.get_mut(4..8) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        file
    }
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend(kind);
    file.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(content);
    if content.len() % 2 == 1 {
        file.push(0);
    }
}

/// Width and height of a key frame (RFC 6386, 9.1).
fn lossy_header(data: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = *data else {
        return None;
    };
    // The two bits above are a wish of how to be scaled.
    let edge = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    let is_key_frame = tag & 1 == 0;
    is_key_frame.then(|| (edge(w0, w1), edge(h0, h1)))
}

/// Width, height, and whether there is alpha (RFC 9649, 3.4).
fn lossless_header(data: &[u8]) -> Option<((u32, u32), bool)> {
    let (0x2F, rest) = data.split_first()? else {
        return None;
    };
    let header = u32::from_le_bytes(*rest.first_chunk()?);
    let size = ((header & 0x3FFF) + 1, ((header >> 14) & 0x3FFF) + 1);
    Some((size, (header >> 28) & 1 == 1))
}
