//! Redaction of secrets in log lines, as a last defence: code must not log them in the first place.
//!
//! The value after one of a few names, as in `name=value`, `name: value` or `"name":"value"`, and the credentials after a
//! scheme of the `Authorization` header are replaced by `…`.

use std::borrow::Cow;

/// Names in lower case; they also match as the end of a longer name, such as `stream_ticket=`.
const NAMES: &[&str] = &[
    "authorization",
    "password",
    "secret",
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

/// Start and end of the secret announced by a name or scheme at byte `at`.
fn secret_after(line: &str, at: usize) -> Option<(usize, usize)> {
    let rest = line.as_bytes().get(at..)?;
    let start = if let Some(scheme) = SCHEMES.iter().find(|scheme| starts_with(rest, scheme)) {
        at + scheme.len()
    } else {
        let name = NAMES.iter().find(|name| starts_with(rest, name))?;
        value_start(line.as_bytes(), at + name.len())?
    };
    let value = line.as_bytes().get(start..)?;
    // In `Authorization: Bearer x` the scheme is not the secret; the next call finds the secret after it.
    if SCHEMES.iter().any(|scheme| starts_with(value, scheme)) {
        return None;
    }
    let end = start
        + value
            .iter()
            .position(|byte| ends_value(*byte))
            .unwrap_or(value.len());
    (end > start).then_some((start, end))
}

fn starts_with(text: &[u8], lower: &str) -> bool {
    text.get(..lower.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(lower.as_bytes()))
}

/// Start of the value after a name: skips the colon or equals sign, quotes, spaces and terminal colours.
fn value_start(line: &[u8], name_end: usize) -> Option<usize> {
    let mut at = name_end;
    let mut separated = false;
    loop {
        match line.get(at)? {
            b'=' | b':' if !separated => separated = true,
            b'"' | b'\\' | b' ' | b'\'' => {}
            0x1b => at += line.get(at..)?.iter().position(|byte| *byte == b'm')?,
            _ => return separated.then_some(at),
        }
        at += 1;
    }
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
            ("secret_key=a secret=b", "secret_key=a secret=…"),
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
