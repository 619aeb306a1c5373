use chrono::{NaiveDate, NaiveDateTime};

/// Maximum length of a text in characters; longer ones are cut.
const MAX_CHARACTERS: usize = 200;

/// Trimmed text; `None` if it is empty or has control characters or bidirectional formatting characters.
pub(super) fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
    };
    (!text.is_empty() && !text.contains(is_unsafe)).then(|| text.chars().take(MAX_CHARACTERS).collect())
}

/// Date and time, `YYYY:MM:DD HH:MM:SS`.
pub(super) fn date_time(bytes: &[u8]) -> Option<NaiveDateTime> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let (date, time) = text.split_once(' ')?;
    let [year, month, day] = numbers(date, [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, [2, 2, 2])?;
    // The oldest known photograph is from 1826.
    (year >= 1826)
        .then(|| {
            NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.and_hms_opt(hour, minute, second)
        })
        .flatten()
}

/// Offset from UTC, `±HH:MM`, in minutes.
pub(super) fn offset(bytes: &[u8]) -> Option<i16> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let [hours, minutes] = numbers(rest, [2, 2])?;
    (hours <= 14 && minutes < 60)
        .then(|| i16::try_from(hours * 60 + minutes).ok())
        .flatten()
        .map(|minutes| sign * minutes)
}

/// Numbers with exactly this many digits each, separated by colons.
fn numbers<const N: usize>(text: &str, digits: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(':');
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_valid = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = is_valid.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_cut() {
        assert_eq!(printable(b"  NIKON Z 8  ").as_deref(), Some("NIKON Z 8"));
        assert_eq!(
            printable("ü".repeat(300).as_bytes()).map(|text| text.chars().count()),
            Some(200)
        );
    }

    #[test]
    fn unprintable_texts_are_rejected() {
        for bytes in [
            &b""[..],
            b"   ",
            b"a\x07b",
            b"a\nb",
            b"\xFF\xFE",
            "a\u{202E}gpj".as_bytes(),
        ] {
            assert_eq!(printable(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn valid_dates_are_parsed_and_others_rejected() {
        let moment = date_time(b"2024:02:29 23:59:58").unwrap();
        assert_eq!(moment.to_string(), "2024-02-29 23:59:58");
        for bytes in [
            &b"0000:00:00 00:00:00"[..],
            b"2023:02:29 00:00:00",
            b"2024-02-29 00:00:00",
            b"2024:02:29 24:00:00",
            b"2024:02:29",
            b"    :  :     :  :  ",
            b"+024:02:29 00:00:00",
            b"2024:02:29 00:00:00:00",
            b"\xFF024:02:29 00:00:00",
        ] {
            assert_eq!(date_time(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn offsets_are_minutes_ahead_of_utc() {
        assert_eq!(offset(b"+02:00"), Some(120));
        assert_eq!(offset(b"-03:30"), Some(-210));
        for bytes in [
            &b"02:00"[..],
            b"+15:00",
            b"+02:60",
            b"+2:00",
            b"Z",
            b"",
            "é2:00".as_bytes(),
        ] {
            assert_eq!(offset(bytes), None, "{bytes:?}");
        }
    }
}
