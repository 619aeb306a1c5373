use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value::{is_direction_control, is_invisible, text_value};

/// E-mail address in lower case and Unicode NFC, so that one mailbox belongs to at most one account. Of the equal forms of an
/// international domain name (UTS #46), it has the Unicode form of the ASCII one.
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
    /// Parses an address; surrounding white space is removed, letters become lower case, and `xn--` labels are decoded.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        // NFC keeps at least a third of the bytes, so a longer text is rejected without the cost of normalising it.
        if raw.len() > 3 * 254 + 64 {
            return Err(EmailError::TooLong);
        }
        let address: String = raw.trim().to_lowercase().nfc().collect();
        let (local, raw_domain) = address.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let domain = &*comparable(raw_domain);
        if local.len() + 1 + domain.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let clean = |part: &str| {
            !part.is_empty()
                && !part
                    .chars()
                    .any(|c| is_unusual(c) || c.is_whitespace() || "@<>(),;:\\\"[]".contains(c))
        };
        let labels = domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
        if [local, raw_domain, domain].into_iter().all(clean) && labels && dots && local.len() <= 64 {
            Ok(Self(format!("{local}@{domain}")))
        } else {
            Err(EmailError::Malformed)
        }
    }
}

/// The form of a domain name that all names with the same ASCII form share. A name without ASCII form is its own.
fn comparable(domain: &str) -> Cow<'_, str> {
    let unicode = idna::domain_to_ascii(domain).map(|ascii| idna::domain_to_unicode(&ascii));
    match unicode {
        Ok((unicode, Ok(()))) => Cow::Owned(unicode),
        _ => Cow::Borrowed(domain),
    }
}

/// Returns true for characters that have no place in an address and make different ones look the same.
fn is_unusual(c: char) -> bool {
    c.is_control() || is_invisible(c) || is_direction_control(c) || matches!(c, '\u{200C}' | '\u{200D}')
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
    fn an_address_is_normalised_to_nfc() {
        assert_eq!(
            Email::parse("U\u{308}@bu\u{308}cher.example").unwrap(),
            Email::parse("\u{fc}@b\u{fc}cher.example").unwrap()
        );
        assert_eq!(Email::parse(&"x".repeat(10_000_000)), Err(EmailError::TooLong));
    }

    #[test]
    fn equal_forms_of_an_international_domain_are_one_address() {
        let stored = Email::parse("ada@b\u{fc}cher.example").unwrap();
        assert_eq!(stored.as_str(), "ada@b\u{fc}cher.example");
        for equal in [
            "ada@xn--bcher-kva.example",
            "Ada@XN--BCHER-KVA.Example",
            "ada@B\u{dc}CHER.example",
            "ada@bu\u{308}cher\u{3002}example",
            "ada@\u{ff42}\u{fc}cher.example",
        ] {
            assert_eq!(Email::parse(equal), Ok(stored.clone()), "{equal}");
        }
        for other in [
            "ada@bucher.example",
            "ada@b\u{fc}cher.example.org",
            "ada@b\u{fc}ch\u{e9}r.example",
        ] {
            assert_ne!(Email::parse(other), Ok(stored.clone()), "{other}");
        }
        // Names that are not valid stay as they are.
        for invalid in ["ada@xn--a.example", "ada@a_b.example"] {
            assert_eq!(Email::parse(invalid).unwrap().as_str(), invalid);
        }
        // Sharp s has a name of its own.
        assert_ne!(
            Email::parse("ada@stra\u{df}e.example"),
            Email::parse("ada@strasse.example")
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
            "a\u{200b}da@example.org",
            "ada@exam\u{200d}ple.org",
            "ada\u{202e}@example.org",
            "ada@example\u{2028}.org",
        ] {
            assert_eq!(Email::parse(bad), Err(EmailError::Malformed), "{bad:?}");
        }
        assert_eq!(
            Email::parse(&format!("a@{}.org", "x".repeat(260))),
            Err(EmailError::TooLong)
        );
    }
}
