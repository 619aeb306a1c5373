//! Percent-encoding, with the characters to keep as a parameter.

use std::fmt::Write as _;

/// Appends `text`; all bytes but those that `keep` accepts are encoded, with upper-case digits.
pub(crate) fn encode(out: &mut String, text: &str, keep: impl Fn(u8) -> bool) {
    for byte in text.bytes() {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Unreserved characters of RFC 3986, section 2.3: the only ones that Signature Version 4 leaves in a query.
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
