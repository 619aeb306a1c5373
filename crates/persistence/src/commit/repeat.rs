use std::collections::{HashMap, HashSet};

use rapidphoto_application::ports::{CommitError, Cursor, Unique};
use rapidphoto_domain::EventId;

use super::Prepared;

/// Stream, version and position of each event of a commit that is stored, by its id.
pub(crate) type StoredEvents = HashMap<String, (String, i64, Cursor)>;

/// Returns the commit's cursor if it was written before, that is, if all of its events are stored with the same stream
/// and version.
pub(crate) fn repetition(commit: &Prepared, stored: &StoredEvents) -> Result<Option<Cursor>, CommitError> {
    if stored.is_empty() {
        let mut seen = HashSet::with_capacity(commit.event_ids.len());
        return match commit.event_ids.iter().find(|id| !seen.insert(**id)) {
            Some(repeated) => Err(duplicate(*repeated)),
            None => Ok(None),
        };
    }
    let mut last = Cursor::START;
    let mut first_stored = None;
    let mut in_place = true;
    for (row, id) in commit.events.iter().zip(&commit.event_ids) {
        match stored.get(&row.event_id) {
            Some((stream, version, cursor)) => {
                first_stored.get_or_insert(*id);
                in_place &= *stream == row.stream_id && *version == row.version;
                last = last.max(*cursor);
            }
            None => in_place = false,
        }
    }
    match first_stored {
        Some(id) if !in_place => Err(duplicate(id)),
        _ => Ok(Some(last)),
    }
}

fn duplicate(id: EventId) -> CommitError {
    CommitError::Duplicate(Unique::EventId(id))
}
