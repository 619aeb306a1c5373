use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The SHA-256 of an object's bytes: lower-case hex everywhere but in S3 headers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum([u8; 32]);

/// Why a text is no checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 lower-case hexadecimal digits")]
pub struct ChecksumError;

impl Checksum {
    /// The algorithm's name on the wire; there is one.
    pub const ALGORITHM: &'static str = "sha256";

    /// The checksum with these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(raw: &str) -> Result<Self, ChecksumError> {
        if raw.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ChecksumError);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(raw, &mut bytes).map_err(|_| ChecksumError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Checksum {
    type Error = ChecksumError;

    fn try_from(raw: String) -> Result<Self, ChecksumError> {
        raw.parse()
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}
