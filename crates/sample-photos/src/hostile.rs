//! Truncated and mislabelled files.

/// The first `part / whole` of a file's bytes.
pub fn truncated(file: &[u8], part: usize, whole: usize) -> &[u8] {
    let end = file.len().saturating_mul(part) / whole.max(1);
    file.get(..end).unwrap_or(file)
}

/// Name and content of a text file with a JPEG's file name.
pub fn text_named_jpg() -> (String, Vec<u8>) {
    let text = "This is a shopping list, whatever its name says: apples, bread, film.\n".repeat(200);
    ("holiday.jpg".to_owned(), text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_file_is_a_prefix() {
        assert_eq!(truncated(b"abcdef", 1, 2), b"abc");
        assert_eq!(truncated(b"abcdef", 9, 2), b"abcdef");
        assert_eq!(truncated(b"abcdef", 0, 0), b"");
    }

    #[test]
    fn the_text_is_not_an_image() {
        let (name, bytes) = text_named_jpg();
        assert_eq!(name, "holiday.jpg");
        assert!(bytes.is_ascii() && bytes.len() > 10_000);
    }
}
