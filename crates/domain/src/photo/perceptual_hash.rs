use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// 64-bit perceptual hash: the hashes of similar images differ in few bits. Written as 16 lower-case hexadecimal
/// digits, because many JSON parsers keep only 53 bits of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PerceptualHash(pub u64);

/// Error of parsing a perceptual hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a perceptual hash must be 16 lower-case hexadecimal digits")]
pub struct PerceptualHashError;

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PerceptualHash {
    type Err = PerceptualHashError;

    fn from_str(raw: &str) -> Result<Self, PerceptualHashError> {
        let hash = u64::from_str_radix(raw, 16)
            .map(Self)
            .map_err(|_| PerceptualHashError)?;
        if hash.to_string() == raw {
            Ok(hash)
        } else {
            Err(PerceptualHashError)
        }
    }
}

impl TryFrom<String> for PerceptualHash {
    type Error = PerceptualHashError;

    fn try_from(raw: String) -> Result<Self, PerceptualHashError> {
        raw.parse()
    }
}

impl From<PerceptualHash> for String {
    fn from(hash: PerceptualHash) -> Self {
        hash.to_string()
    }
}
