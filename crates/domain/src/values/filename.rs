use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value;

/// The name a client gave a file, in NFC. It is shown and offered for download, and never part of a storage key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filename(String);

/// Why a text is no acceptable filename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Nothing before the extension, or nothing at all.
    #[error("a filename has a name before its extension")]
    Empty,
    /// Longer than file systems take.
    #[error("a filename is at most 255 bytes long")]
    TooLong,
    /// `/` or `\`.
    #[error("a filename holds no path separators")]
    Separator,
    /// A control character, NUL among them.
    #[error("a filename holds no control characters")]
    Control,
    /// A character that reorders what is shown, so that `gpj.exe` reads as `exe.jpg`.
    #[error("a filename holds no characters that override the writing direction")]
    Bidirectional,
    /// An extension that is not on the list.
    #[error("a filename ends in one of .jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .heic .heif .avif")]
    Extension,
}

impl Filename {
    const EXTENSIONS: [&'static str; 12] = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "tif", "tiff", "heic", "heif", "avif",
    ];

    /// Reads a filename; it is brought to Unicode's NFC first.
    pub fn parse(raw: &str) -> Result<Self, FilenameError> {
        // NFC leaves at least a third of a text's bytes (three Hangul letters become one syllable), so a text longer
        // than this need not be normalised to be refused.
        if raw.len() > 3 * 255 {
            return Err(FilenameError::TooLong);
        }
        let name: String = raw.nfc().collect();
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

/// Unicode's explicit directional formatting characters (UAX #9, 2), and the marks that act like them.
const fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

text_value!(Filename, FilenameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filename_is_kept_in_one_normal_form() {
        assert_eq!(
            Filename::parse("u\u{0308}ber.JPG").unwrap().as_str(),
            "\u{fc}ber.JPG"
        );
    }

    #[test]
    fn hostile_names_are_refused_for_what_they_hold() {
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
    fn length_counts_bytes_after_normalisation() {
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
