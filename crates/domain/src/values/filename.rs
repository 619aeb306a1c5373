use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{
    mime_type::MimeType,
    text_value::{is_direction_control, is_invisible, text_value},
};

/// Name of a file on the client, in Unicode NFC without invisible characters. It is displayed and offered for downloads,
/// and never part of a storage key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filename(String);

/// Error of parsing a filename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Only white space, or nothing, before the extension.
    #[error("a filename must have a name before its extension")]
    Empty,
    /// Longer than the limit of common file systems.
    #[error("a filename must be at most 255 bytes long")]
    TooLong,
    /// A path separator: `/` or `\`.
    #[error("a filename must not contain path separators")]
    Separator,
    /// A control character, such as NUL.
    #[error("a filename must not contain control characters")]
    Control,
    /// A character that changes the displayed order of others, so that `gpj.exe` is displayed as `exe.jpg`.
    #[error("a filename must not contain bidirectional control characters")]
    Bidirectional,
    /// An unsupported extension, or none.
    #[error(
        "a filename must end in one of .jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .heic .heif .avif"
    )]
    Extension,
}

impl Filename {
    const EXTENSIONS: [&'static str; 12] = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "tif", "tiff", "heic", "heif", "avif",
    ];

    /// Like [`Self::parse`], but a name without any extension gets the one of its type: Android's media store gives
    /// such names.
    pub fn parse_declared(raw: &str, mime_type: MimeType) -> Result<Self, FilenameError> {
        let stem = raw.trim();
        if stem.is_empty() || stem.contains('.') {
            Self::parse(raw)
        } else {
            Self::parse(&format!("{stem}.{}", mime_type.extension()))
        }
    }

    /// Parses a filename, normalises it to NFC and removes invisible characters.
    pub fn parse(raw: &str) -> Result<Self, FilenameError> {
        // NFC keeps at least a third of the bytes (three Hangul letters become one syllable), so a longer text is
        // rejected without the cost of normalising it.
        if raw.len() > 3 * 255 {
            return Err(FilenameError::TooLong);
        }
        let name: String = raw.nfc().filter(|c| !is_invisible(*c)).collect();
        if name.len() > 255 {
            return Err(FilenameError::TooLong);
        }
        if name.contains(['/', '\\']) {
            return Err(FilenameError::Separator);
        }
        if name.chars().any(char::is_control) {
            return Err(FilenameError::Control);
        }
        if name.chars().any(is_direction_control) {
            return Err(FilenameError::Bidirectional);
        }
        let (stem, extension) = name.rsplit_once('.').ok_or(FilenameError::Extension)?;
        if !Self::EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
        {
            return Err(FilenameError::Extension);
        }
        if stem.trim().is_empty() {
            return Err(FilenameError::Empty);
        }
        Ok(Self(name))
    }
}

text_value!(Filename, FilenameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_extension_gets_the_one_of_its_type() {
        for mime_type in MimeType::ALL {
            let name = Filename::parse_declared("1000012345", mime_type).unwrap();
            assert_eq!(name.as_str(), format!("1000012345.{}", mime_type.extension()));
        }
        let declared = |raw| Filename::parse_declared(raw, MimeType::Png);
        assert_eq!(declared(" photo ").unwrap().as_str(), "photo.png");
        assert_eq!(declared("photo.jpg").unwrap().as_str(), "photo.jpg");
        assert_eq!(declared("photo.exe"), Err(FilenameError::Extension));
        assert_eq!(declared("photo."), Err(FilenameError::Extension));
        assert_eq!(declared(""), Err(FilenameError::Extension));
        assert_eq!(declared("\u{200b}"), Err(FilenameError::Empty));
        assert_eq!(declared(&"a".repeat(252)), Err(FilenameError::TooLong));
    }

    #[test]
    fn a_filename_is_normalised_to_nfc() {
        assert_eq!(
            Filename::parse("u\u{0308}ber.JPG").unwrap().as_str(),
            "\u{fc}ber.JPG"
        );
    }

    #[test]
    fn invisible_characters_are_removed_and_joiners_kept() {
        let name = |raw: &str| Filename::parse(raw).unwrap().to_string();
        assert_eq!(name("a\u{200b}b\u{feff}\u{2060}.j\u{ad}pg"), "ab.jpg");
        assert_eq!(name("line\u{2028}paragraph\u{2029}.jpg"), "lineparagraph.jpg");
        assert_eq!(
            name("\u{1f468}\u{200d}\u{1f469}.jpg"),
            "\u{1f468}\u{200d}\u{1f469}.jpg"
        );
        assert_eq!(Filename::parse("\u{200b}.jpg"), Err(FilenameError::Empty));
    }

    #[test]
    fn invalid_names_are_rejected_with_the_reason() {
        let cases = [
            ("../../etc/passwd.jpg", FilenameError::Separator),
            ("a\\b.jpg", FilenameError::Separator),
            ("a\0.jpg", FilenameError::Control),
            ("a\n.jpg", FilenameError::Control),
            ("a\u{202e}gpj.exe.jpg", FilenameError::Bidirectional),
            ("", FilenameError::Extension),
            ("photo", FilenameError::Extension),
            ("photo.exe", FilenameError::Extension),
            (".jpg", FilenameError::Empty),
            ("  .jpg", FilenameError::Empty),
        ];
        for (raw, why) in cases {
            assert_eq!(Filename::parse(raw), Err(why), "{raw:?}");
        }
    }

    #[test]
    fn the_length_limit_applies_to_bytes_after_normalisation() {
        assert!(Filename::parse(&format!("{}.jpg", "x".repeat(251))).is_ok());
        assert_eq!(
            Filename::parse(&format!("{}.jpg", "x".repeat(252))),
            Err(FilenameError::TooLong)
        );
        // 170 decomposed characters are 510 bytes before and 340 after.
        assert_eq!(
            Filename::parse(&format!("{}.jpg", "u\u{0308}".repeat(170))),
            Err(FilenameError::TooLong)
        );
        assert!(Filename::parse(&format!("{}.jpg", "u\u{0308}".repeat(120))).is_ok());
        assert_eq!(
            Filename::parse(&"x".repeat(10_000_000)),
            Err(FilenameError::TooLong)
        );
    }
}
