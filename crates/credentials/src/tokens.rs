//! JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 (HS256) only.
//!
//! Only this service issues and verifies its tokens, so a token's header is one of a few known strings: it is compared,
//! not parsed. No claim is parsed before the signature is verified, and a token can't select another algorithm. (The
//! crate `jsonwebtoken` depends either on RSA with RUSTSEC-2023-0071 or on a build with cmake, and reads the system's
//! clock.)

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rapidphoto_application::ports::{AccessTokens, BoxError, Grant, Scopes, TokenError};
use rapidphoto_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Maximum length of a token; issued tokens are far shorter.
const MAX_TOKEN_BYTES: usize = 2048;

/// HMAC key that signs tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// HMAC state after the key and before any message.
    mac: Hmac<Sha256>,
    /// Key ID, see [`SigningKey::id`].
    id: String,
    /// Encoded header of every token signed with this key.
    header: String,
}

/// A secret is too short for a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key must have at least {} bytes", SigningKey::MIN_BYTES)]
pub struct SigningKeyError;

impl SigningKey {
    /// Minimum length of a secret: that of a signature, as required by RFC 7518, section 3.2.
    pub const MIN_BYTES: usize = 32;

    /// Creates a key from a secret, which should be random.
    ///
    /// # Errors
    /// [`SigningKeyError`] if the secret is shorter than [`Self::MIN_BYTES`].
    pub fn new(secret: &[u8]) -> Result<Self, SigningKeyError> {
        if secret.len() < Self::MIN_BYTES {
            return Err(SigningKeyError);
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| SigningKeyError)?;
        let digest = Sha256::new()
            .chain_update(b"rapidphoto key id\0")
            .chain_update(secret)
            .finalize();
        let id: String = URL_SAFE_NO_PAD.encode(digest).chars().take(12).collect();
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS256","kid":"{id}","typ":"JWT"}}"#));
        Ok(Self { mac, id, header })
    }

    /// Fingerprint of the key. It does not reveal the key, and is the same in every process with the same key.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn sign(&self, message: &str) -> String {
        let signature = self.mac.clone().chain_update(message).finalize();
        URL_SAFE_NO_PAD.encode(signature.into_bytes())
    }

    /// Verifies a signature in constant time.
    fn verify(&self, message: &str, signature: &[u8]) -> bool {
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

/// Issues and verifies the access tokens of one issuer.
#[derive(Debug)]
pub struct Hs256Tokens {
    issuer: String,
    current: SigningKey,
    previous: Option<PreviousKey>,
}

/// Key that was replaced.
#[derive(Debug, Clone)]
pub struct PreviousKey {
    /// The key.
    pub key: SigningKey,
    /// Tokens that it signed are rejected from this time on, also unexpired ones: the key may be known to others.
    pub valid_until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    /// Session; missing in tokens of version 0.1.
    sid: Option<String>,
    scope: String,
    iat: i64,
    exp: i64,
}

impl Hs256Tokens {
    /// New tokens are signed with `current`. Tokens signed with the `previous` key are valid until that key ends, so that
    /// keys can be rotated without logging users out.
    pub fn new(issuer: impl Into<String>, current: SigningKey, previous: Option<PreviousKey>) -> Self {
        Self {
            issuer: issuer.into(),
            current,
            previous,
        }
    }

    /// Claims of a token; `None` if the signature is invalid or the claims are malformed.
    fn verified_claims(&self, token: &str, now: Timestamp) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let previous = self.previous.as_ref();
        let previous = previous.filter(|previous| now < previous.valid_until);
        let key = std::iter::once(&self.current)
            .chain(previous.map(|previous| &previous.key))
            .find(|key| key.header == header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !key.verify(message, &signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

impl AccessTokens for Hs256Tokens {
    /// The expiry is truncated to whole seconds, the resolution of this token format.
    fn issue(&self, grant: &Grant, issued_at: Timestamp) -> Result<String, BoxError> {
        let claims = serde_json::to_vec(&Claims {
            iss: self.issuer.clone(),
            sub: grant.user.to_string(),
            sid: Some(grant.session.to_string()),
            scope: grant.scopes.to_string(),
            iat: issued_at.timestamp(),
            exp: grant.expires_at.timestamp(),
        })?;
        let message = format!("{}.{}", self.current.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.current.sign(&message);
        Ok(format!("{message}.{signature}"))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError> {
        let claims = self.verified_claims(token, now).ok_or(TokenError::Invalid)?;
        if claims.iss != self.issuer {
            return Err(TokenError::Invalid);
        }
        let user: UserId = claims.sub.parse().map_err(|_| TokenError::Invalid)?;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        // A token without a session is from before an update; its client gets a new one by its refresh token.
        let session = claims
            .sid
            .filter(|_| now < expires_at)
            .ok_or(TokenError::Expired)?;
        Ok(Grant {
            user,
            session: session.parse().map_err(|_| TokenError::Invalid)?,
            scopes: Scopes::parse(&claims.scope),
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
