use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value::text_value;

/// Label by which a user groups photos, in Unicode NFC, without surrounding white space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagLabel(String);

/// Error of parsing a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a label must be 1 to 64 characters long, must not be `.` or `..`, and must not contain control characters or U+FFFD"
)]
pub struct TagLabelError;

impl TagLabel {
    /// Parses a label and normalises it to NFC.
    pub fn parse(raw: &str) -> Result<Self, TagLabelError> {
        // 64 characters have at most 4 bytes each, and NFC keeps at least a third of the bytes: a longer text is
        // rejected without the cost of normalising it.
        if raw.len() > 64 * 4 * 3 {
            return Err(TagLabelError);
        }
        let label: String = raw.trim().nfc().collect();
        let valid_length = (1..=64).contains(&label.chars().count());
        // URLs can't have `.` or `..` as a segment of their path, not even percent-encoded.
        let is_dots = matches!(label.as_str(), "." | "..");
        // U+FFFD takes the place of bytes that are not UTF-8.
        let is_allowed =
            |character: char| !character.is_control() && character != char::REPLACEMENT_CHARACTER;
        if valid_length && !is_dots && label.chars().all(is_allowed) {
            Ok(Self(label))
        } else {
            Err(TagLabelError)
        }
    }
}

text_value!(TagLabel, TagLabelError);
