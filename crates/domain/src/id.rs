//! Identifiers: ULIDs with a prefix for the kind of thing that they identify.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// Error of parsing an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is missing or belongs to another kind of identifier.
    #[error("the identifier must start with `{expected}`")]
    Prefix {
        /// Prefix of this kind of identifier.
        expected: &'static str,
    },
    /// The text after the prefix is not a ULID in its canonical, upper-case form.
    #[error("`{expected}` must be followed by a ULID of 26 upper-case characters")]
    Ulid {
        /// Prefix of this kind of identifier.
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
            /// Prefix of every identifier of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Identifier with these 128 bits of a ULID.
            pub const fn from_bits(bits: u128) -> Self {
                Self(Ulid(bits))
            }

            /// The 128 bits of the ULID.
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
                // Crockford's base 32 also decodes lower case and look-alike characters; an identifier must have one
                // spelling.
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
    /// Identifier of a user.
    UserId, "usr_");
identifier!(
    /// Identifier of an upload job.
    JobId, "job_");
identifier!(
    /// Identifier of a photo.
    PhotoId, "ph_");
identifier!(
    /// Identifier of one event in the log, and so of the commit attempt that wrote it.
    EventId, "evt_");

impl EventId {
    /// Deterministic identifier, for an event that must be written once although several processes may write it or
    /// retry: the first 128 bits of the SHA-256 of its parts.
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
    fn a_displayed_identifier_parses_to_the_same_identifier() {
        let id = PhotoId::from_bits(0x0192_f0aa_bbcc_ddee_ff00_1122_3344_5566);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("ph_"));
    }

    #[test]
    fn an_identifier_of_another_kind_is_rejected() {
        let job = JobId::from_bits(7).to_string();
        assert_eq!(job.parse::<PhotoId>(), Err(IdError::Prefix { expected: "ph_" }));
    }

    #[test]
    fn an_identifier_has_one_spelling() {
        let lower = PhotoId::from_bits(u128::MAX / 3).to_string().to_lowercase();
        assert_eq!(lower.parse::<PhotoId>(), Err(IdError::Ulid { expected: "ph_" }));
        assert!("ph_".parse::<PhotoId>().is_err());
        assert!(
            "ph_8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<PhotoId>().is_err(),
            "more than 128 bits"
        );
    }

    #[test]
    fn a_derived_event_id_depends_on_the_boundaries_between_its_parts() {
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
