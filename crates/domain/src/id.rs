//! Identifiers: ULIDs with a prefix that says what they name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// Why a text is no identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is missing or another kind's.
    #[error("an identifier that starts with `{expected}` is wanted")]
    Prefix {
        /// The prefix that identifiers of this kind carry.
        expected: &'static str,
    },
    /// What follows the prefix is not a ULID in its canonical, upper-case form.
    #[error("`{expected}` must be followed by a ULID of 26 upper-case characters")]
    Ulid {
        /// The prefix that identifiers of this kind carry.
        expected: &'static str,
    },
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// What every identifier of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The identifier made of a ULID's 128 bits.
            pub const fn from_bits(bits: u128) -> Self {
                Self(Ulid(bits))
            }

            /// The ULID's 128 bits.
            pub const fn bits(self) -> u128 {
                self.0.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", Self::PREFIX, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix($prefix).ok_or(IdError::Prefix { expected: $prefix })?;
                let ulid = Ulid::from_string(rest).map_err(|_| IdError::Ulid { expected: $prefix })?;
                // Crockford's alphabet reads lower case and look-alikes too; one thing must have one name.
                if ulid.to_string() == rest { Ok(Self(ulid)) } else { Err(IdError::Ulid { expected: $prefix }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

identifier!(
    /// Names a user.
    UserId, "usr_");
identifier!(
    /// Names an upload job.
    JobId, "job_");
identifier!(
    /// Names a photo.
    PhotoId, "ph_");
identifier!(
    /// Names one event in the log, and with it the commit attempt that wrote it.
    EventId, "evt_");

impl EventId {
    /// The identifier of an event that must be written once, whoever writes it and however often it is tried: the
    /// first 128 bits of the SHA-256 of its parts.
    pub fn derived(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self::from_bits(u128::from_be_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_what_it_shows() {
        let id = PhotoId::from_bits(0x0192_f0aa_bbcc_ddee_ff00_1122_3344_5566);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("ph_"));
    }

    #[test]
    fn another_kinds_identifier_is_refused() {
        let job = JobId::from_bits(7).to_string();
        assert_eq!(job.parse::<PhotoId>(), Err(IdError::Prefix { expected: "ph_" }));
    }

    #[test]
    fn a_thing_has_one_name_only() {
        let lower = PhotoId::from_bits(u128::MAX / 3).to_string().to_lowercase();
        assert_eq!(lower.parse::<PhotoId>(), Err(IdError::Ulid { expected: "ph_" }));
        assert!("ph_".parse::<PhotoId>().is_err());
        assert!(
            "ph_8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<PhotoId>().is_err(),
            "more than 128 bits"
        );
    }

    #[test]
    fn a_derived_event_id_depends_on_where_its_parts_end() {
        assert_eq!(
            EventId::derived(&["job_1", "2"]),
            EventId::derived(&["job_1", "2"])
        );
        assert_ne!(
            EventId::derived(&["job_1", "2"]),
            EventId::derived(&["job_12", ""])
        );
    }
}
