use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value;

/// What a user calls a group of photos, in NFC, without surrounding white space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagLabel(String);

/// Why a text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label is 1 to 64 characters long and holds no control characters")]
pub struct TagLabelError;

impl TagLabel {
    /// Reads a label.
    pub fn parse(raw: &str) -> Result<Self, TagLabelError> {
        if raw.len() > 64 * 4 * 3 {
            return Err(TagLabelError);
        }
        let label: String = raw.trim().nfc().collect();
        let long_enough = (1..=64).contains(&label.chars().count());
        if long_enough && !label.chars().any(char::is_control) {
            Ok(Self(label))
        } else {
            Err(TagLabelError)
        }
    }
}

text_value!(TagLabel, TagLabelError);
