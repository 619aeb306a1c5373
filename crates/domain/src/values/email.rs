use serde::{Deserialize, Serialize};

use super::text_value::text_value;

/// E-mail address in lower case, so that one mailbox belongs to at most one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Error of parsing an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than the limit of an SMTP path (RFC 5321, 4.5.3.1.3).
    #[error("an e-mail address must be at most 254 bytes long")]
    TooLong,
    /// Not `local@domain`.
    #[error("an e-mail address must have the form `name@example.org`")]
    Malformed,
}

impl Email {
    /// Parses an address; surrounding white space is removed and letters become lower case.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        let address = raw.trim().to_lowercase();
        if address.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = address.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let clean = |part: &str| {
            !part.is_empty()
                && !part
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control() || "@<>(),;:\\\"[]".contains(c))
        };
        let labels = domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
        if clean(local) && clean(domain) && labels && dots && local.len() <= 64 {
            Ok(Self(address))
        } else {
            Err(EmailError::Malformed)
        }
    }
}

text_value!(Email, EmailError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_upper_case_are_normalised() {
        assert_eq!(
            Email::parse("  Ada@Example.ORG ").unwrap().as_str(),
            "ada@example.org"
        );
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a da@example.org",
            "ada@exa mple.org",
            "ada@.org",
            "ada@a..b",
            ".a@b.c",
            "a\0@b.c",
        ] {
            assert_eq!(Email::parse(bad), Err(EmailError::Malformed), "{bad:?}");
        }
        assert_eq!(
            Email::parse(&format!("a@{}.org", "x".repeat(260))),
            Err(EmailError::TooLong)
        );
    }
}
