//! The interface of all image decoders.

use std::{
    borrow::Cow,
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    error::{Damage, DecodeError},
    raster::Raster,
    scratch::Scratch,
};

/// A file whose container has been parsed and whose pixels have not been decoded. All calls but [`Self::icc_profile`]
/// and [`Self::decode`] take next to no time and memory, whatever the file declares.
pub(crate) trait ImageDecoder: Debug {
    /// Width and height as stored, before orientation; `None` if the file is damaged before it declares them.
    fn size(&self) -> Option<(u32, u32)>;

    /// TIFF structure that holds the Exif metadata.
    fn exif(&self) -> Option<&[u8]>;

    /// Feature of the file that is not supported, with the file's type.
    fn unsupported_feature(&self) -> Option<&'static str>;

    /// Structural damage that was found while parsing.
    fn damage(&self) -> Option<Damage>;

    /// Upper bound of the memory in bytes that decoding and making thumbnails take beside the file itself.
    fn max_memory_bytes(&self, edge: u16) -> u64;

    /// ICC profile; `None` if it is missing, incomplete or larger than [`MAX_ICC_PROFILE_BYTES`].
    fn icc_profile(&self) -> Option<Cow<'_, [u8]>>;

    /// Decodes the image. Its longer edge has at least `edge` pixels, or its full length if that is less.
    fn decode(&self, edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError>;
}

/// Profiles of printing presses have up to 3 MiB.
pub(crate) const MAX_ICC_PROFILE_BYTES: usize = 4 << 20;

/// Bytes that thumbnails, tables and row buffers take, whatever the size of the image.
pub(crate) const FIXED_OVERHEAD_BYTES: u64 = 16 << 20;

/// Runs a third-party decoder and turns a panic into [`DecodeError::Damaged`]: the decoder would panic on this file
/// every time, so a retry is useless.
pub(crate) fn catch_panics<T>(decode: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        tracing::error!("an image decoder panicked; the photo is reported as corrupt");
        Err(DecodeError::damaged("the decoder panicked"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_reports_a_damaged_file() {
        let result = catch_panics::<()>(|| panic!("index out of bounds"));
        assert!(matches!(result, Err(DecodeError::Damaged(_))), "{result:?}");
    }
}
