//! Positions in the log as clients receive them.

use aes::{
    Aes128,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rapidphoto_application::{live::Start, ports::Cursor};
use rapidphoto_domain::UserId;
use sha2::{Digest as _, Sha256};

/// Encrypts cursors for clients, with a key for each user: a position in the log would tell how much all users do.
///
/// A cursor is one block of AES-128, so that equal cursors of a user have equal texts, and nothing else can be told from
/// them. No authentication is needed: the text of another user or deployment decrypts to a position that is beyond the
/// end of the log, but for a chance of at most 2⁻⁶⁴.
#[derive(Clone)]
pub(crate) struct CursorCipher {
    key: [u8; 32],
}

impl CursorCipher {
    /// Derives the keys of all users from a secret of the deployment, which may have other uses.
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Text of a cursor for a user.
    pub(crate) fn seal(&self, user: UserId, cursor: Cursor) -> String {
        let (high, low) = (u128::from(cursor.epoch()), u128::from(cursor.position()));
        let mut block = ((high << 64) | low).to_be_bytes().into();
        self.cipher(user).encrypt_block(&mut block);
        URL_SAFE_NO_PAD.encode(block)
    }

    /// Start of a stream that resumes at a user's text.
    pub(crate) fn open(&self, user: UserId, text: &str) -> Start {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok();
        let Some(block) = decoded.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) else {
            return Start::Reset;
        };
        let mut block = block.into();
        self.cipher(user).decrypt_block(&mut block);
        let bytes = <[u8; 16]>::from(block);
        let number = |half: Option<&[u8; 8]>| half.map_or(0, |half| u64::from_be_bytes(*half));
        let (epoch, position) = (number(bytes.first_chunk()), number(bytes.last_chunk()));
        Start::After(Cursor::new(epoch, position))
    }

    fn cipher(&self, user: UserId) -> Aes128 {
        let digest = Sha256::new()
            .chain_update(b"rapidphoto stream cursor")
            .chain_update(self.key)
            .chain_update(user.to_string())
            .finalize();
        let mut key = [0; 16];
        for (byte, derived) in key.iter_mut().zip(digest) {
            *byte = derived;
        }
        Aes128::new(&key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_cursor_survives_and_anothers_is_far_beyond_any_log() {
        let cipher = CursorCipher::new([7; 32]);
        let (ada, bob) = (UserId::from_bits(1), UserId::from_bits(2));
        for cursor in [Cursor::START, Cursor::new(0, 1), Cursor::new(u64::MAX, u64::MAX)] {
            let text = cipher.seal(ada, cursor);
            assert_eq!(text.len(), 22);
            assert_eq!(cipher.open(ada, &text), Start::After(cursor));
            for other in [
                cipher.open(bob, &text),
                CursorCipher::new([8; 32]).open(ada, &text),
            ] {
                assert!(matches!(other, Start::After(cursor) if cursor > Cursor::new(1 << 20, 0)));
            }
        }
        for text in ["", "0-1f", "hello", "AAAAAAAAAAAAAAAAAAAAAAAA", "ü"] {
            assert_eq!(cipher.open(ada, text), Start::Reset, "{text}");
        }
    }

    #[test]
    fn texts_do_not_tell_the_order_of_cursors() {
        let cipher = CursorCipher::new([7; 32]);
        let user = UserId::from_bits(1);
        let texts: Vec<_> = (1..=20)
            .map(|position| cipher.seal(user, Cursor::new(0, position)))
            .collect();
        assert!(!texts.is_sorted());
        let first: std::collections::BTreeSet<_> = texts.iter().map(|text| &text[..4]).collect();
        assert!(first.len() > 15, "close positions have nothing in common");
    }
}
