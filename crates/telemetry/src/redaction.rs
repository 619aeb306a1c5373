//! Redaction of secrets in log lines, as a last defence: code must not log them in the first place.
//!
//! The value after one of a few names, as in `name=value`, `name: value` or `"name":"value"`, and the credentials after a
//! scheme of the `Authorization` header are replaced by `…`, as is a refresh token or a stream ticket anywhere.

use std::borrow::Cow;

/// Names in lower case; they also match as the end of a longer name, such as `stream_ticket=`.
const NAMES: &[&str] = &[
    "authorization",
    "password_hash",
    "passwordhash",
    "password",
    "secret_access_key",
    "secret_key",
    "secretkey",
    "secret",
    "token_key",
    "refresh_key",
    "ticket",
    "access_token",
    "accesstoken",
    "refresh_token",
    "refreshtoken",
    "x-amz-signature",
    "x-amz-security-token",
];

/// Schemes of the `Authorization` header, which are followed by credentials.
const SCHEMES: &[&str] = &["bearer ", "basic "];

/// Prefixes of refresh tokens and stream tickets.
const TOKEN_PREFIXES: &[&[u8]] = &[b"rft_", b"tkt_"];
/// Length of each prefix.
const TOKEN_PREFIX_BYTES: usize = 4;

/// Minimum length of a token after its prefix; real ones have 43 characters or more.
const MIN_TOKEN_BYTES: usize = 20;

/// Returns the line with all secrets replaced.
pub(crate) fn redacted(line: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < line.len() {
        match secret_after(line, at) {
            Some((start, end)) => {
                clean.push_str(line.get(copied..start).unwrap_or_default());
                clean.push('…');
                copied = end;
                at = end;
            }
            None => at += 1,
        }
    }
    if clean.is_empty() {
        return Cow::Borrowed(line);
    }
    clean.push_str(line.get(copied..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Start and end of the secret announced by a name, a scheme or a token's prefix at byte `at`.
fn secret_after(line: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let rest = bytes.get(at..)?;
    if TOKEN_PREFIXES.iter().any(|prefix| rest.starts_with(prefix)) {
        return token_after(bytes, at + TOKEN_PREFIX_BYTES);
    }
    let scheme = SCHEMES.iter().find(|scheme| starts_with(rest, scheme));
    let (start, end) = if let Some(scheme) = scheme {
        let start = at + scheme.len();
        (start, end_of_word(bytes, start))
    } else {
        let name = NAMES.iter().find(|name| starts_with(rest, name))?;
        let (start, quote) = value_start(bytes, at + name.len())?;
        let end = match quote {
            Some(quote) => quote.end_of_value(bytes, start),
            None if name.starts_with("password") => end_of_words(bytes, start),
            None => end_of_word(bytes, start),
        };
        (start, end)
    };
    // In `Authorization: Bearer x` the scheme is not the secret; the next call finds the secret after it.
    let value = bytes.get(start..)?;
    if SCHEMES.iter().any(|scheme| starts_with(value, scheme)) {
        return None;
    }
    (end > start).then_some((start, end))
}

/// Start and end of a token after its prefix. Shorter words are names, such as `tkt_unknown`.
fn token_after(line: &[u8], start: usize) -> Option<(usize, usize)> {
    let rest = line.get(start..)?;
    let is_in_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let length = rest.iter().take_while(|byte| is_in_token(byte)).count();
    (length >= MIN_TOKEN_BYTES).then_some((start, start + length))
}

fn starts_with(text: &[u8], lower: &str) -> bool {
    text.get(..lower.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(lower.as_bytes()))
}

/// Quotation mark before a value. In a string within a string it is preceded by backslashes.
struct Quote {
    mark: u8,
    backslashes: usize,
}

impl Quote {
    /// The value ends at the same mark with no more backslashes; the value's own marks have more.
    fn end_of_value(&self, line: &[u8], start: usize) -> usize {
        let mut backslashes = 0;
        for (at, byte) in line.iter().enumerate().skip(start) {
            match *byte {
                b'\\' => backslashes += 1,
                mark if mark == self.mark && backslashes <= self.backslashes => return at - backslashes,
                _ => backslashes = 0,
            }
        }
        line.len()
    }
}

/// Start of the value after a name and its opening quotation mark: skips the colon or equals sign, quotes, spaces and
/// terminal colours.
fn value_start(line: &[u8], name_end: usize) -> Option<(usize, Option<Quote>)> {
    let mut at = name_end;
    let mut separated = false;
    let mut backslashes = 0;
    loop {
        match line.get(at)? {
            b'=' | b':' if !separated => separated = true,
            b'\\' => backslashes += 1,
            mark @ (b'"' | b'\'') if separated => {
                let mark = *mark;
                return Some((at + 1, Some(Quote { mark, backslashes })));
            }
            b'"' | b' ' | b'\'' => backslashes = 0,
            0x1b => at += line.get(at..)?.iter().position(|byte| *byte == b'm')?,
            _ => return separated.then_some((at, None)),
        }
        at += 1;
    }
}

fn end_of_word(line: &[u8], start: usize) -> usize {
    let mut rest = line.iter().skip(start);
    rest.position(|byte| ends_value(*byte))
        .map_or(line.len(), |length| start + length)
}

/// End of a value that may have several words: the end of the line, or the word before one that has an equals sign.
fn end_of_words(line: &[u8], start: usize) -> usize {
    let mut end = end_of_word(line, start);
    while line.get(end) == Some(&b' ') {
        let next = end_of_word(line, end + 1);
        if line.get(end..next).is_none_or(|word| word.contains(&b'=')) {
            break;
        }
        end = next;
    }
    end
}

const fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'"' | b'\'' | b'\\' | b'&' | b'#' | b',' | b';' | b')' | b']' | b'}' | b'>' | 0x1b
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_in_every_position() {
        let cases = [
            (
                "GET /queries/events?ticket=st_abc-1 200",
                "GET /queries/events?ticket=… 200",
            ),
            ("/ws?a=1&ticket=abc&b=2", "/ws?a=1&ticket=…&b=2"),
            ("Authorization: Bearer eyJ.abc.def", "Authorization: Bearer …"),
            (
                "authorization: Basic dTpw and more",
                "authorization: Basic … and more",
            ),
            (
                r#"{"authorization":"Bearer eyJ"}"#,
                r#"{"authorization":"Bearer …"}"#,
            ),
            (
                r#"{"refreshToken":"rt_1","x":2}"#,
                r#"{"refreshToken":"…","x":2}"#,
            ),
            (
                r#"body="{\"password\": \"hunter2\"}""#,
                r#"body="{\"password\": \"…\"}""#,
            ),
            (
                "\u{1b}[3mticket\u{1b}[0m\u{1b}[2m=\u{1b}[0mabc",
                "\u{1b}[3mticket\u{1b}[0m\u{1b}[2m=\u{1b}[0m…",
            ),
            (
                "http://s3/b/k?X-Amz-Expires=9&X-Amz-Security-Token=t%2B&X-Amz-Signature=0f",
                "http://s3/b/k?X-Amz-Expires=9&X-Amz-Security-Token=…&X-Amz-Signature=…",
            ),
            ("ticket=é1 ticket=", "ticket=… ticket="),
            ("secret_key=a secret=b", "secret_key=… secret=…"),
            (
                "token_key=0a refresh_key=0b password_hash=$argon2id$v x=1",
                "token_key=… refresh_key=… password_hash=… x=1",
            ),
            (
                "the token rft_AAECAwQFBgcICQoLDA0ODw-_ was used",
                "the token rft_… was used",
            ),
            ("/events?x=tkt_AAECAwQFBgcICQoLDA0ODw", "/events?x=tkt_…"),
            ("password=correct horse battery user=ada", "password=… user=ada"),
            ("password: correct horse battery", "password: …"),
            (
                r#"{"password":"correct \"horse\" battery","x":1}"#,
                r#"{"password":"…","x":1}"#,
            ),
            (
                r#"body="{\"password\":\"correct horse\",\"x\":1}""#,
                r#"body="{\"password\":\"…\",\"x\":1}""#,
            ),
        ];
        for (line, clean) in cases {
            assert_eq!(redacted(line), clean);
        }
    }

    #[test]
    fn lines_without_secrets_are_unchanged() {
        for line in [
            "",
            "POST /commands/auth/stream-ticket 200",
            r#"{"uri":"/commands/auth/stream-ticket","status":200}"#,
            "the password is too short",
            "a bearer",
            "naïve ticket",
            "ticket=",
            "tkt_unknown",
        ] {
            assert!(
                matches!(redacted(line), Cow::Borrowed(same) if same == line),
                "{line}"
            );
        }
    }

    #[test]
    fn unusual_lines_do_not_panic() {
        let mut line = String::new();
        for part in [
            "ticket",
            "=",
            "\u{1b}",
            "[",
            "m",
            "é",
            "\"",
            "bearer ",
            "\u{1f600}",
            ":",
            " ",
            "password",
        ] {
            line.push_str(part);
            let _ = redacted(&line);
            let doubled = format!("{line}{line}");
            let _ = redacted(&doubled);
        }
    }
}
