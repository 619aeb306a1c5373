use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Maximum length of a word in characters; longer ones are cut, in photos and in searches alike.
const MAX_CHARS: usize = 64;

/// Word of a text in the form in which words are compared: compatibility-decomposed (NFKD), without the accents of
/// Latin, Greek and Cyrillic letters (U+0300 to U+036F), and case-folded. `Müller`, `MULLER` and `muller` are one word,
/// `straße` is `strasse`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SearchWord(String);

impl SearchWord {
    /// Words of a text: its longest sequences of letters and digits.
    pub fn all_of(text: &str) -> BTreeSet<Self> {
        let folded: String = text
            .nfkd()
            .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
            // Full case folding but for a few letters of historic scripts: `ß` becomes `SS` and then `ss`. By character,
            // because `str::to_lowercase` gives a Greek sigma another form at the end of a word.
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .collect();
        folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| Self(word.chars().take(MAX_CHARS).collect()))
            .collect()
    }

    /// Word as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if this word begins with `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Text that is greater than this word and all that begin with it, and less than all other greater words, in the order
    /// of bytes: no word has its last character.
    pub fn end_of_prefix(&self) -> String {
        format!("{}{}", self.0, char::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        SearchWord::all_of(text).into_iter().map(|word| word.0).collect()
    }

    #[test]
    fn words_are_folded_and_separated_by_other_characters() {
        for (text, expected) in [
            ("IMG_1234 (2).JPG", &["1234", "2", "img", "jpg"][..]),
            ("Müller & Söhne", &["muller", "sohne"]),
            ("mu\u{308}LLER", &["muller"]),
            ("Straße STRASSE", &["strasse"]),
            ("ΟΔΟΣ οδός οδος", &["οδοσ"]),
            ("İstanbul ISTANBUL", &["istanbul"]),
            ("ﬁne ①", &["1", "fine"]),
            ("Йод Ёлка", &["елка", "иод"]),
            ("猫の写真.jpg", &["jpg", "猫の写真"]),
            ("", &[]),
            (" -_.\u{301}🙂\u{0} ", &[]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(words(&"ü".repeat(200)), ["u".repeat(64)]);
        // One character that decomposes to 18.
        assert!(
            words(&"\u{fdfa}".repeat(80))
                .iter()
                .all(|word| word.chars().count() <= 64)
        );
    }

    #[test]
    fn the_end_of_a_prefix_separates_its_words_from_others() {
        let word = |text: &str| SearchWord::all_of(text).pop_first().unwrap();
        let prefix = word("sea");
        for (text, begins) in [
            ("sea", true),
            ("Seaside", true),
            ("sea𝔷", true),
            ("se", false),
            ("seb", false),
        ] {
            let other = word(text);
            assert_eq!(other.starts_with(&prefix), begins, "{text}");
            let in_range =
                other.as_str() >= prefix.as_str() && other.as_str() < prefix.end_of_prefix().as_str();
            assert_eq!(in_range, begins, "{text}");
        }
    }
}
