//! Paths as written in the source, and those in the tokens of macro calls and attributes, which have no syntax tree.

use proc_macro2::{TokenStream, TokenTree};

/// A path and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Every `a::b…` in `tokens`, groups included; a path that begins with `::` names another crate and is left out.
pub(super) fn in_tokens(tokens: TokenStream) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Reference>) {
    let mut path: Option<Reference> = None;
    let mut colons = 0;
    let mut finish = |path: Option<Reference>| found.extend(path.filter(|path| path.path.len() > 1));
    let mut groups = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                match &mut path {
                    Some(path) if colons == 2 => path.path.push(ident.to_string()),
                    // After a leading `::`.
                    None if colons == 2 => {}
                    _ => finish(path.replace(Reference {
                        path: vec![ident.to_string()],
                        line: ident.span().start().line,
                    })),
                }
                colons = 0;
            }
            TokenTree::Punct(punctuation) if punctuation.as_char() == ':' && colons < 2 => colons += 1,
            TokenTree::Group(group) => {
                finish(path.take());
                colons = 0;
                groups.push(group.stream());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                finish(path.take());
                colons = 0;
            }
        }
    }
    finish(path.take());
    for group in groups {
        collect(group, found);
    }
}
