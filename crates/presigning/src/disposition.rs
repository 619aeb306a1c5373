//! `Content-Disposition` for any filename, as specified by RFC 6266 and RFC 8187.

use crate::percent;

/// Header value that offers the body as a download with this filename.
pub(crate) fn attachment(filename: &str) -> String {
    let fallback: String = filename.chars().map(to_ascii).collect();
    let mut value = format!("attachment; filename=\"{fallback}\"");
    if fallback != filename {
        value.push_str("; filename*=UTF-8''");
        percent::encode(&mut value, filename, is_attr_char);
    }
    value
}

/// Replacement of a character in the ASCII fallback. Quotes, backslashes and percent signs are replaced, too, because
/// browsers interpret them differently (RFC 6266, appendix D).
fn to_ascii(c: char) -> char {
    if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%') {
        c
    } else {
        '_'
    }
}

/// `attr-char` of RFC 8187, section 3.2.1.
const fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn an_ascii_name_is_only_quoted() {
        assert_eq!(
            attachment("IMG_1234.jpg"),
            r#"attachment; filename="IMG_1234.jpg""#
        );
        assert_eq!(
            attachment("a day; or two.jpg"),
            r#"attachment; filename="a day; or two.jpg""#
        );
    }

    #[test]
    fn other_names_are_encoded_in_utf_8_with_an_ascii_fallback() {
        assert_eq!(
            attachment("Ün café €.jpg"),
            "attachment; filename=\"_n caf_ _.jpg\"; filename*=UTF-8''%C3%9Cn%20caf%C3%A9%20%E2%82%AC.jpg"
        );
        assert_eq!(
            attachment("照片.heic"),
            "attachment; filename=\"__.heic\"; filename*=UTF-8''%E7%85%A7%E7%89%87.heic"
        );
    }

    #[test]
    fn no_name_ends_the_quoted_string() {
        assert_eq!(
            attachment("a\"; filename=b%22\\.jpg"),
            "attachment; filename=\"a_; filename=b_22_.jpg\"; filename*=UTF-8''a%22%3B%20filename%3Db%2522%5C.jpg"
        );
        assert!(!attachment("a\r\nSet-Cookie: b.jpg").contains(['\r', '\n']));
    }

    #[test]
    fn the_value_of_any_name_is_printable_ascii() {
        for c in (0..=0x2_FFFF_u32).filter_map(char::from_u32) {
            let value = attachment(&format!("{c}.jpg"));
            assert!(
                value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()),
                "{value}"
            );
        }
    }
}
