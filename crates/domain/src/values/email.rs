use serde::{Deserialize, Serialize};

use super::text_value;

/// An e-mail address in lower case, so that one mailbox can't hold two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than an SMTP path may be (RFC 5321, 4.5.3.1.3).
    #[error("an e-mail address is at most 254 bytes long")]
    TooLong,
    /// Not `local@domain`.
    #[error("an e-mail address looks like `name@example.org`")]
    Malformed,
}

impl Email {
    /// Reads an address; surrounding white space is dropped and letters become lower case.
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
    fn one_mailbox_has_one_spelling() {
        assert_eq!(
            Email::parse("  Ada@Example.ORG ").unwrap().as_str(),
            "ada@example.org"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
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
