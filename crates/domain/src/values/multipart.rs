use std::{fmt, num::NonZeroU16};

use serde::{Deserialize, Serialize};

use super::text_value::text_value;

/// Identifier of an upload in parts, chosen by the store. It never leaves the servers: with a key of the store it is enough
/// to complete or abort the upload, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MultipartId(String);

/// Error of parsing a [`MultipartId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store's identifier of an upload in parts must be 1 to 1024 visible ASCII characters")]
pub struct MultipartIdError;

impl MultipartId {
    /// Parses the store's text.
    ///
    /// # Errors
    /// It is empty, longer than 1024 bytes, or has other than visible ASCII characters.
    pub fn parse(raw: &str) -> Result<Self, MultipartIdError> {
        let visible = raw.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=1024).contains(&raw.len()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(MultipartIdError)
        }
    }
}

impl fmt::Debug for MultipartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MultipartId(…)")
    }
}

text_value!(MultipartId, MultipartIdError);

/// Number of a part within its file: 1 to 10 000, the range of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartNumber(NonZeroU16);

/// Error of making a [`PartNumber`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part number must be 1 to 10000")]
pub struct PartNumberError;

impl PartNumber {
    /// Largest part number, and maximum number of parts of a file.
    pub const MAX: u16 = 10_000;

    /// Makes a part number of any integer.
    ///
    /// # Errors
    /// It is not in the range.
    pub fn new(number: impl TryInto<u16>) -> Result<Self, PartNumberError> {
        let number = number.try_into().map_err(|_| PartNumberError)?;
        NonZeroU16::new(number)
            .filter(|number| number.get() <= Self::MAX)
            .map(Self)
            .ok_or(PartNumberError)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
