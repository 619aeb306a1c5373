//! Parameters of pages that all lists have.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    call::Query,
    problem::{
        Problem,
        kinds::{self, Kind},
    },
};

/// Items per page, if the client does not say.
const DEFAULT_SIZE: usize = 50;
/// Maximum number of items per page.
const MAX_SIZE: usize = 200;

/// Takes `size`.
pub(super) fn take_size(query: &mut Query) -> Result<usize, Problem> {
    let size = query.take_as("size", "a number from 1 to 200", |raw| {
        raw.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size))
    })?;
    Ok(size.unwrap_or(DEFAULT_SIZE))
}

/// Takes `cursor`, whose position `decode` reads.
pub(super) fn take_cursor<T>(
    query: &mut Query,
    decode: impl FnOnce(&str) -> Result<T, &'static Kind>,
) -> Result<Option<T>, Problem> {
    let cursor = query.take("cursor")?;
    let position = cursor.map(|cursor| decode(&cursor)).transpose();
    position.map_err(|kind| Problem::at(kind, "cursor"))
}

/// Opaque cursor for the client: the name of a list and the position of the next page.
pub(super) fn encode(list: &str, position: impl std::fmt::Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{position}"))
}

/// Name of a list and position, as text, in a client's cursor.
pub(super) fn decode(cursor: &str) -> Result<(String, String), &'static Kind> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let (list, position) = text
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .ok_or(kinds::INVALID_CURSOR)?;
    Ok((list.to_owned(), position.to_owned()))
}

/// Position in a cursor of one list.
pub(super) fn decode_of(list: &str, cursor: &str) -> Result<String, &'static Kind> {
    let (name, position) = decode(cursor)?;
    if name == list {
        Ok(position)
    } else {
        Err(kinds::INVALID_CURSOR)
    }
}
