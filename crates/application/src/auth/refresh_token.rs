use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::SecretToken;
use crate::ports::{SessionId, TokenHash};

const PREFIX: &str = "rft_";

/// Bytes of a token's three parts: session, secret, tag.
const SESSION_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const BYTES: usize = SESSION_BYTES + SECRET_BYTES + TAG_BYTES;

/// Length of a refresh token as text.
const CHARS: usize = PREFIX.len() + (BYTES * 8).div_ceil(6);

/// Length of a token of version 0.1, which consists of a secret only.
const CHARS_WITHOUT_SESSION: usize = PREFIX.len() + (SECRET_BYTES * 8).div_ceil(6);

/// Derives and verifies refresh tokens with a key that must stay the same across restarts.
///
/// A token contains its session, a secret and a tag: a message authentication code of both. Thus a forged token is
/// rejected without a look at the database, and one that is neither the current nor the previous token of its session
/// is known to be an older one, although the database keeps only the hashes of two.
///
/// A successor's secret is derived from its predecessor's, so that a client whose response was lost receives the same
/// token again although the database stores only hashes.
#[derive(Clone)]
pub(super) struct RefreshTokens {
    key: [u8; 32],
}

/// Refresh token of a client.
pub(super) enum Presented {
    /// Issued by this deployment for this session.
    Issued(SessionId),
    /// Perhaps a token of version 0.1. It belongs to a session if its hash is stored.
    WithoutSession(TokenHash),
}

impl RefreshTokens {
    pub(super) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// First token of a session.
    pub(super) fn first(&self, session: SessionId, secret: [u8; SECRET_BYTES]) -> SecretToken {
        let tag = self.mac(&[b"tag", &session.0, &secret]);
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&session.0);
        bytes.extend_from_slice(&secret);
        bytes.extend(tag.iter().take(TAG_BYTES));
        SecretToken::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Token that replaces `token`. The result is deterministic for a key, and unpredictable without it.
    pub(super) fn successor(&self, session: SessionId, token: &SecretToken) -> SecretToken {
        self.first(session, self.mac(&[b"successor", token.reveal().as_bytes()]))
    }

    /// Verifies a token without any I/O. Returns `None` if it was not issued by this deployment.
    pub(super) fn verify(&self, token: &SecretToken) -> Option<Presented> {
        let text = token.reveal();
        if text.len() == CHARS_WITHOUT_SESSION && text.starts_with(PREFIX) {
            return Some(Presented::WithoutSession(token.hash()));
        }
        if text.len() != CHARS {
            return None;
        }
        let mut bytes = [0; BYTES];
        let written = URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(PREFIX)?, &mut bytes);
        if written != Ok(BYTES) {
            return None;
        }
        let (session, rest) = bytes.split_first_chunk::<SESSION_BYTES>()?;
        let (secret, tag) = rest.split_first_chunk::<SECRET_BYTES>()?;
        let verified = self
            .begin(&[b"tag", session, secret])?
            .verify_truncated_left(tag)
            .is_ok();
        verified.then_some(Presented::Issued(SessionId(*session)))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.begin(parts)
            .map(|mac| mac.finalize().into_bytes().into())
            .unwrap_or_default()
    }

    /// HMAC accepts keys of any length, so this is never `None`.
    fn begin(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId([3; 16]);

    fn tokens() -> RefreshTokens {
        RefreshTokens::new([7; 32])
    }

    #[test]
    fn an_issued_token_names_its_session() {
        let first = tokens().first(SESSION, [9; 32]);
        assert_eq!(first.reveal().len(), CHARS);
        let successor = tokens().successor(SESSION, &first);
        assert_ne!(successor, first);
        for token in [first, successor] {
            match tokens().verify(&token) {
                Some(Presented::Issued(session)) => assert_eq!(session, SESSION),
                _ => panic!("{}", token.reveal()),
            }
        }
    }

    #[test]
    fn forged_tokens_are_rejected() {
        let token = tokens().first(SESSION, [9; 32]);
        let text = token.reveal();
        let mut forged = vec![
            String::new(),
            "x".repeat(1024 * 1024),
            format!("{text}A"),
            text.replacen("rft_", "tkt_", 1),
            RefreshTokens::new([8; 32])
                .first(SESSION, [9; 32])
                .reveal()
                .to_owned(),
        ];
        for at in [4, 20, 40, 70, CHARS - 2] {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, other);
            forged.push(changed);
        }
        for text in forged {
            assert!(tokens().verify(&SecretToken::from_client(&text)).is_none());
        }
    }
}
