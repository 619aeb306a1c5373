use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// SHA-256 of a file. Written as 64 lower-case hexadecimal digits, except in S3 headers, which use base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum([u8; 32]);

/// Error of parsing a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 checksum must be 64 lower-case hexadecimal digits")]
pub struct ChecksumError;

impl Checksum {
    /// Name of the only supported algorithm, as in the API.
    pub const ALGORITHM: &'static str = "sha256";

    /// Checksum with these 32 bytes.
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
