use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::ports::TokenHash;

/// Secret of a client: a refresh token or a stream ticket. It is sent to the client once, and only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// Maximum length of a token in bytes. The ones that are issued have less.
    const MAX_BYTES: usize = 128;

    /// Creates a token from random bits.
    pub(super) fn new(prefix: &str, bits: [u8; 32]) -> Self {
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
    }

    pub(super) const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// Wraps a token received from a client. One that is longer than any issued token becomes the empty one, which is
    /// never valid: its bytes are neither copied nor hashed.
    pub fn from_client(raw: &str) -> Self {
        Self(if raw.len() > Self::MAX_BYTES {
            String::new()
        } else {
            raw.to_owned()
        })
    }

    /// Hash under which the token is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Secret in plain text, to be sent to the client.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_too_long_is_not_kept() {
        for (length, kept) in [(128, 128), (129, 0), (1024 * 1024, 0)] {
            assert_eq!(SecretToken::from_client(&"x".repeat(length)).reveal().len(), kept);
        }
    }
}
