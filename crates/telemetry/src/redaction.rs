//! Strikes secrets out of log lines: the last net, for what should not have been logged at all.
//!
//! What follows one of a few names, as `name=value`, `name: value` or `"name":"value"`, or a scheme of the
//! `Authorization` header, is replaced by `…` up to where such values end.

use std::borrow::Cow;

/// Names in lower case; they count wherever they occur, so `stream_ticket=` is one too.
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

/// What announces credentials by itself.
const SCHEMES: &[&str] = &["bearer ", "basic "];

/// The line without secrets.
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

/// Where the secret is that something at this place announces.
fn secret_after(line: &str, at: usize) -> Option<(usize, usize)> {
    let rest = line.as_bytes().get(at..)?;
    let start = if let Some(scheme) = SCHEMES.iter().find(|scheme| starts_with(rest, scheme)) {
        at + scheme.len()
    } else {
        let name = NAMES.iter().find(|name| starts_with(rest, name))?;
        value_start(line.as_bytes(), at + name.len())?
    };
    let value = line.as_bytes().get(start..)?;
    // `Authorization: Bearer x`: the scheme is no secret, and announces what is.
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

/// Past the colon or equals sign behind a name, and what may stand around it: quotes, spaces, colours.
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
    fn secrets_are_struck_out_wherever_they_stand() {
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
    fn other_lines_stay_as_they_are() {
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
    fn no_line_is_too_strange() {
        let mut line = String::new();
        for piece in [
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
            line.push_str(piece);
            let _ = redacted(&line);
            let doubled = format!("{line}{line}");
            let _ = redacted(&doubled);
        }
    }
}
