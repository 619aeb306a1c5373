//! Choice of the decoder by the type of the file.

use rapidphoto_domain::values::MimeType;

use crate::{decoder::ImageDecoder, gif::Gif, jpeg::Jpeg, png::Png, tiff::Tiff, webp::Webp};

/// Types with a decoder.
pub const READABLE_TYPES: &[MimeType] = &[
    MimeType::Jpeg,
    MimeType::Png,
    MimeType::Webp,
    MimeType::Gif,
    MimeType::Tiff,
];

/// Types with a decoder, as findings list them.
pub(crate) const SUPPORTED_TYPES: &str = "image/jpeg, image/png, image/webp, image/gif, image/tiff";

/// Parses a file of this type; `None` if the type has no decoder.
pub(crate) fn open(mime_type: MimeType, bytes: &[u8]) -> Option<Box<dyn ImageDecoder + '_>> {
    match mime_type {
        MimeType::Jpeg => Some(Box::new(Jpeg::read(bytes))),
        MimeType::Png => Some(Box::new(Png::read(bytes))),
        MimeType::Webp => Some(Box::new(Webp::read(bytes))),
        MimeType::Gif => Some(Box::new(Gif::read(bytes))),
        MimeType::Tiff => Some(Box::new(Tiff::read(bytes))),
        MimeType::Heic | MimeType::Heif | MimeType::Avif => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supported_types_are_those_with_a_decoder() {
        let supported: Vec<_> = MimeType::ALL
            .into_iter()
            .filter(|&mime_type| open(mime_type, &[]).is_some())
            .collect();
        assert_eq!(supported, READABLE_TYPES);
        let names: Vec<_> = supported.into_iter().map(MimeType::as_str).collect();
        assert_eq!(names.join(", "), SUPPORTED_TYPES);
    }
}
