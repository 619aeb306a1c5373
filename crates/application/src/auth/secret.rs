use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::ports::TokenHash;

/// Secret of a client: a refresh token or a stream ticket. It is sent to the client once, and only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// Creates a token from random bits.
    pub(super) fn new(prefix: &str, bits: [u8; 32]) -> Self {
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
    }

    /// Wraps a token received from a client.
    pub fn from_client(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    /// Derives the token that replaces this one. The result is deterministic for a key, and unpredictable without it.
    pub(super) fn successor(&self, key: &[u8; 32], prefix: &str) -> Self {
        // HMAC accepts keys of any length, so this can't fail.
        let mac =
            Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(self.0.as_bytes()).finalize());
        Self::new(prefix, mac.map(|mac| mac.into_bytes().into()).unwrap_or_default())
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
