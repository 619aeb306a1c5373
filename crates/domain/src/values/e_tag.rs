use serde::{Deserialize, Serialize};

use super::text_value::text_value;

/// Entity tag by which storage identifies one version of an object, without the quotation marks of HTTP headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ETag(String);

/// Error of parsing an entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entity tag must be 1 to 256 visible ASCII characters without quotation marks")]
pub struct ETagError;

impl ETag {
    /// Parses a tag with or without quotation marks.
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

    /// Tag in quotation marks, as in HTTP headers.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

text_value!(ETag, ETagError);
