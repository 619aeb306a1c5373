use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ports::AttemptKey;

/// Derives the keys of counters with a secret that all processes of a deployment share.
#[derive(Clone)]
pub(crate) struct AttemptKeys {
    secret: [u8; 32],
}

impl AttemptKeys {
    /// `secret` may have other uses: the keys are derived from one that is derived from it.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self {
            secret: mac(&secret, &[b"keys of attempts"]),
        }
    }

    /// Key of the attempts of one kind by one subject, whose parts are given.
    pub(crate) fn of(&self, kind: &str, subject: &[&[u8]]) -> AttemptKey {
        let kind = [kind.as_bytes()];
        let parts: Vec<&[u8]> = kind.into_iter().chain(subject.iter().copied()).collect();
        let hash = mac(&self.secret, &parts);
        AttemptKey(*hash.first_chunk().unwrap_or(&[0; 16]))
    }
}

/// Authentication code of parts, each after its length.
fn mac(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC accepts keys of any length, so that there is no error.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(&part.len().to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_secret_kind_and_every_part_of_the_subject() {
        let keys = AttemptKeys::new([7; 32]);
        let key = keys.of("logins", &[b"ab", b"c"]);
        assert_eq!(AttemptKeys::new([7; 32]).of("logins", &[b"ab", b"c"]), key);
        for other in [
            AttemptKeys::new([8; 32]).of("logins", &[b"ab", b"c"]),
            keys.of("jobs", &[b"ab", b"c"]),
            keys.of("logins", &[b"a", b"bc"]),
            keys.of("logins", &[b"abc"]),
        ] {
            assert_ne!(other, key);
        }
    }
}
