use serde::{Deserialize, Serialize};

use super::text_value;

/// What storage calls one state of an object, without the quotes that HTTP puts around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ETag(String);

/// Why a text is no entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entity tag is 1 to 256 visible ASCII characters")]
pub struct ETagError;

impl ETag {
    /// Reads a tag with or without its quotes.
    pub fn parse(raw: &str) -> Result<Self, ETagError> {
        let bare = raw
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(raw);
        let visible = bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if visible && (1..=256).contains(&bare.len()) {
            Ok(Self(bare.to_owned()))
        } else {
            Err(ETagError)
        }
    }

    /// The tag as HTTP headers carry it.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

text_value!(ETag, ETagError);
