use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::ports::TokenHash;

/// A secret that is shown to its holder once: a refresh token or a stream ticket. The record keeps only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// A token with these random bits.
    pub(super) fn new(prefix: &str, bits: [u8; 32]) -> Self {
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
    }

    /// A token as a client hands it in.
    pub fn from_client(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    /// The token that follows this one: who holds `key` finds the same one again, nobody else can tell it.
    pub(super) fn successor(&self, key: &[u8; 32], prefix: &str) -> Self {
        // HMAC takes keys of any length, so a key of 32 bytes is never refused.
        let mac =
            Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(self.0.as_bytes()).finalize());
        Self::new(prefix, mac.map(|mac| mac.into_bytes().into()).unwrap_or_default())
    }

    /// What the record knows the token by.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The secret itself, for its holder.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(…)")
    }
}
