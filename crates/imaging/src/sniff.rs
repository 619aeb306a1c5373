use rapidphoto_domain::values::MimeType;

/// Type of a file by its content, whatever its name or declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// An image of a known type.
    Image(MimeType),
    /// Text.
    Text,
    /// Anything else, or an empty file.
    Unknown,
}

impl Sniffed {
    /// Registered media type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image(mime_type) => mime_type.as_str(),
            Self::Text => "text/plain",
            Self::Unknown => "application/octet-stream",
        }
    }
}

/// Detects a file's type by its first bytes.
pub fn sniff(bytes: &[u8]) -> Sniffed {
    let image = match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some(MimeType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(MimeType::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(MimeType::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(MimeType::Webp),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(MimeType::Tiff),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif_or_avif(bytes),
        _ => None,
    };
    match image {
        Some(mime_type) => Sniffed::Image(mime_type),
        None if is_text(bytes) => Sniffed::Text,
        None => Sniffed::Unknown,
    }
}

/// HEIC, HEIF or AVIF by the brands of the file type box (ISO/IEC 14496-12, 4.3; ISO/IEC 23008-12, annex B; AV1 Image
/// File Format).
fn heif_or_avif(bytes: &[u8]) -> Option<MimeType> {
    const MAX_BRANDS: usize = 64;
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let end = usize::try_from(u32::from_be_bytes(*size)).ok()?.min(bytes.len());
    let major = rest.get(4..8)?;
    let compatible = bytes.get(16..end).unwrap_or_default();
    let mut general = None;
    for brand in std::iter::once(major).chain(compatible.chunks_exact(4).take(MAX_BRANDS)) {
        match brand {
            b"avif" | b"avis" => return Some(MimeType::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
                return Some(MimeType::Heic);
            }
            b"mif1" | b"msf1" | b"mif2" => general = Some(MimeType::Heif),
            _ => {}
        }
    }
    general
}

fn is_text(bytes: &[u8]) -> bool {
    const MAX_PREFIX_BYTES: usize = 512;
    let prefix = bytes.get(..MAX_PREFIX_BYTES).unwrap_or(bytes);
    let text = match std::str::from_utf8(prefix) {
        Ok(text) => text,
        // The prefix ends within a character.
        Err(error) if error.error_len().is_none() => prefix
            .get(..error.valid_up_to())
            .and_then(|whole| std::str::from_utf8(whole).ok())
            .unwrap_or_default(),
        Err(_) => "",
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_detected_by_its_first_bytes() {
        let cases: [(&[u8], &str); 18] = [
            (&[0xFF, 0xD8, 0xFF, 0xE1], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n....", "image/png"),
            (b"GIF89a", "image/gif"),
            (b"GIF87a", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"II*\0\x08\0\0\0", "image/tiff"),
            (b"MM\0*\0\0\0\x08", "image/tiff"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf", "image/heif"),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "image/avif"),
            (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "application/octet-stream"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "application/octet-stream"),
            (b"", "application/octet-stream"),
            (b"\0\0\0\0", "application/octet-stream"),
            (&[0xFF, 0xD8], "application/octet-stream"),
            ("Grüße\n".as_bytes(), "text/plain"),
            (b"<!DOCTYPE html>", "text/plain"),
        ];
        for (bytes, name) in cases {
            assert_eq!(sniff(bytes).name(), name, "{bytes:?}");
        }
    }

    #[test]
    fn brands_after_the_file_type_box_are_ignored() {
        assert_eq!(sniff(b"\0\0\0\x10ftypisom\0\0\0\0avif"), Sniffed::Unknown);
        assert_eq!(
            sniff(b"\xFF\xFF\xFF\xFFftypisom\0\0\0\0avif"),
            Sniffed::Image(MimeType::Avif)
        );
    }

    #[test]
    fn text_is_detected_if_the_prefix_ends_within_a_character() {
        let text = "ü".repeat(300);
        assert_eq!(sniff(&text.as_bytes()[..511]), Sniffed::Text);
    }
}
