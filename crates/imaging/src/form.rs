//! What all types of files have in common for whoever inspects them.

use std::{
    borrow::Cow,
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rapidphoto_domain::values::MimeType;

use crate::{gif::Gif, inspect::Scratch, jpeg::Layout, png::Png, raster::Raster, tiff::Tiff, webp::Webp};

/// A file whose outer form is known, nothing of which is decoded yet. All but the last two calls take next to no time and
/// memory, whatever the file says about itself.
pub(crate) trait Form: Debug {
    /// Width and height as stored, as far as the file says them.
    fn size(&self) -> Option<(u32, u32)>;

    /// EXIF's TIFF file.
    fn exif(&self) -> Option<&[u8]>;

    /// What keeps a file of this kind from being read here.
    fn obstacle(&self) -> Option<&'static str>;

    /// What is wrong with the file's form.
    fn damage(&self) -> Option<Damage>;

    /// Bytes that decoding and everything after it take at most.
    fn weight(&self, edge: u16) -> u64;

    /// The colour profile, if the file has one whole and of a sane size.
    fn profile(&self) -> Option<Cow<'_, [u8]>>;

    /// The picture, with at least `edge` pixels at its longer edge, or in its full size if that is less.
    fn decode(&self, edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError>;
}

/// What is wrong with a file's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It ends before its picture does.
    Truncated,
    /// A picture without pixels.
    NoPixels,
    /// Its parts contradict the format or each other.
    Malformed,
    /// More parts than any honest file has: made to keep a decoder busy.
    TooManyParts,
}

/// Why a photo was not decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The file is damaged.
    Damaged(String),
    /// The file is of a kind that can't be read here.
    Unsupported(&'static str),
}

impl DecodeError {
    #[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
    pub(crate) fn damaged(why: impl ToString) -> Self {
        Self::Damaged(why.to_string())
    }
}

/// Profiles of presses have up to 3 MiB.
pub(crate) const LARGEST_PROFILE: usize = 4 << 20;

/// What thumbnails, tables and rows take beside the picture itself.
pub(crate) const REST: u64 = 16 << 20;

/// The types that are read here, as findings name them.
pub(crate) const READABLE: &str = "image/jpeg, image/png, image/webp, image/gif, image/tiff";

/// The form of a file of this type; `None` if the type is not read here.
pub(crate) fn read(mime_type: MimeType, bytes: &[u8]) -> Option<Box<dyn Form + '_>> {
    match mime_type {
        MimeType::Jpeg => Some(Box::new(Layout::read(bytes))),
        MimeType::Png => Some(Box::new(Png::read(bytes))),
        MimeType::Webp => Some(Box::new(Webp::read(bytes))),
        MimeType::Gif => Some(Box::new(Gif::read(bytes))),
        MimeType::Tiff => Some(Box::new(Tiff::read(bytes))),
        MimeType::Heic | MimeType::Heif | MimeType::Avif => None,
    }
}

/// Runs a decoder that others wrote. One that panics on a file will do so every time: the file is what can't be decoded,
/// and to try it again would help nobody.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        tracing::error!("a decoder broke on a photo");
        Err(DecodeError::damaged("the decoder broke"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_says_that_the_file_is_damaged() {
        let broken = guarded::<()>(|| panic!("index out of bounds"));
        assert!(matches!(broken, Err(DecodeError::Damaged(_))), "{broken:?}");
    }

    #[test]
    fn what_is_called_readable_is_read() {
        let read: Vec<_> = MimeType::ALL
            .into_iter()
            .filter(|&mime_type| read(mime_type, &[]).is_some())
            .map(MimeType::as_str)
            .collect();
        assert_eq!(read.join(", "), READABLE);
    }
}
