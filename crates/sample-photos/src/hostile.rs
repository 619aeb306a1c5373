//! Files that are not what they seem.

/// A file that ends early: the first `part` of `whole` of its bytes.
pub fn truncated(file: &[u8], part: usize, whole: usize) -> &[u8] {
    let end = file.len().saturating_mul(part) / whole.max(1);
    file.get(..end).unwrap_or(file)
}

/// A text that somebody gave a photo's name.
pub fn text_named_jpg() -> (String, Vec<u8>) {
    let text = "This is a shopping list, whatever its name says: apples, bread, film.\n".repeat(200);
    ("holiday.jpg".to_owned(), text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_file_is_the_beginning_of_the_whole() {
        assert_eq!(truncated(b"abcdef", 1, 2), b"abc");
        assert_eq!(truncated(b"abcdef", 9, 2), b"abcdef");
        assert_eq!(truncated(b"abcdef", 0, 0), b"");
    }

    #[test]
    fn the_text_is_no_picture() {
        let (name, bytes) = text_named_jpg();
        assert_eq!(name, "holiday.jpg");
        assert!(bytes.is_ascii() && bytes.len() > 10_000);
    }
}
