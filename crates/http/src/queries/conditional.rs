//! `If-None-Match` (RFC 9110, 13.1.2).

/// Returns true if one of the tags in these header values equals `tag` by weak comparison, or is `*`.
pub(super) fn matches<'a>(values: impl Iterator<Item = &'a str>, tag: &str) -> bool {
    let tag = opaque(tag);
    values
        .flat_map(tags)
        .any(|given| given == "*" || opaque(given) == tag)
}

/// Tags of one header value. A tag may contain a comma, so the list is split at quotes.
fn tags(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return None;
        }
        let start = rest.strip_prefix("W/").unwrap_or(rest);
        let quoted = start.strip_prefix('"').and_then(|inner| inner.find('"'));
        let end = match quoted {
            Some(length) => rest.len() - start.len() + length + 2,
            // Not a tag: skip to the next comma.
            None => rest.find(',').unwrap_or(rest.len()),
        };
        let (tag, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(tag.trim_end())
    })
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_by_weak_comparison_and_a_star_matches_all() {
        let ours = "W/\"abc\"";
        for value in [
            "\"abc\"",
            "W/\"abc\"",
            "\"x\", W/\"abc\"",
            "\"a,b\",\t\"abc\" ",
            "*",
            "junk, \"abc\"",
        ] {
            assert!(matches([value].into_iter(), ours), "{value}");
        }
        for value in ["", "abc", "\"abc", "\"ab\"", "W/abc", "\"x, \"", "\"\"", ",,,"] {
            assert!(!matches([value].into_iter(), ours), "{value}");
        }
        assert!(
            matches(["\"x\"", "\"abc\""].into_iter(), ours),
            "in a repeated header"
        );
    }
}
