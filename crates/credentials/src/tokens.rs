//! JSON Web Tokens (RFC 7519) signed by HMAC-SHA-256, and no other.
//!
//! They are made here and read here, so a token's header is one of a few known texts: it is compared, not parsed. No
//! byte of a token is interpreted before its signature holds, and there is no algorithm to be talked into. (The crate
//! `jsonwebtoken` brings either RSA with RUSTSEC-2023-0071 or a build with cmake, and reads the system's clock.)

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rapidphoto_application::ports::{AccessTokens, BoxError, Grant, Scopes, TokenError};
use rapidphoto_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Far more than any token of ours has.
const MAX_TOKEN_BYTES: usize = 2048;

/// A secret that tokens are signed with.
#[derive(Clone)]
pub struct SigningKey {
    /// The HMAC that has taken in the key, and nothing else yet.
    mac: Hmac<Sha256>,
    /// The first part of every token signed with it.
    header: String,
}

/// Why a secret is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key has at least {} bytes", SigningKey::MIN_BYTES)]
pub struct SigningKeyError;

impl SigningKey {
    /// As many as a signature has, which RFC 7518, section 3.2, demands.
    pub const MIN_BYTES: usize = 32;

    /// The key with these bytes, which should be random.
    ///
    /// # Errors
    /// [`SigningKeyError`] where they are too few.
    pub fn new(secret: &[u8]) -> Result<Self, SigningKeyError> {
        if secret.len() < Self::MIN_BYTES {
            return Err(SigningKeyError);
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| SigningKeyError)?;
        // Names the key without telling it, and is the same in every process that has it.
        let digest = Sha256::new()
            .chain_update(b"rapidphoto key id\0")
            .chain_update(secret)
            .finalize();
        let id: String = URL_SAFE_NO_PAD.encode(digest).chars().take(12).collect();
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS256","kid":"{id}","typ":"JWT"}}"#));
        Ok(Self { mac, header })
    }

    fn sign(&self, message: &str) -> String {
        let signature = self.mac.clone().chain_update(message).finalize();
        URL_SAFE_NO_PAD.encode(signature.into_bytes())
    }

    /// In a time that does not tell how much of the signature was right.
    fn has_signed(&self, message: &str, signature: &[u8]) -> bool {
        self.mac
            .clone()
            .chain_update(message)
            .verify_slice(signature)
            .is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Access tokens of one issuer.
#[derive(Debug)]
pub struct Hs256Tokens {
    issuer: String,
    current: SigningKey,
    previous: Vec<SigningKey>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    scope: String,
    iat: i64,
    exp: i64,
}

impl Hs256Tokens {
    /// Tokens of `issuer`, signed with `current`. Those signed with a `previous` key hold until they expire, so that
    /// keys can be changed without logging anybody out.
    pub fn new(issuer: impl Into<String>, current: SigningKey, previous: Vec<SigningKey>) -> Self {
        Self {
            issuer: issuer.into(),
            current,
            previous,
        }
    }

    /// The claims of a token whose signature holds.
    fn open(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.header == header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !key.has_signed(message, &signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

impl AccessTokens for Hs256Tokens {
    /// The grant's end is rounded down to the second: that is what tokens tell.
    fn issue(&self, grant: &Grant, issued_at: Timestamp) -> Result<String, BoxError> {
        let claims = serde_json::to_vec(&Claims {
            iss: self.issuer.clone(),
            sub: grant.user.to_string(),
            scope: grant.scopes.to_string(),
            iat: issued_at.timestamp(),
            exp: grant.expires_at.timestamp(),
        })?;
        let message = format!("{}.{}", self.current.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.current.sign(&message);
        Ok(format!("{message}.{signature}"))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError> {
        let claims = self.open(token).ok_or(TokenError::Invalid)?;
        if claims.iss != self.issuer {
            return Err(TokenError::Invalid);
        }
        let user: UserId = claims.sub.parse().map_err(|_| TokenError::Invalid)?;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        if now >= expires_at {
            return Err(TokenError::Expired);
        }
        Ok(Grant {
            user,
            scopes: Scopes::parse(&claims.scope),
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
