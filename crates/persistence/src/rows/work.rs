use diesel::prelude::*;
use rapidphoto_application::ports::{Priority, WorkKind};

use crate::{error::RecordError, schema::photo_work};

/// Work that was ordered and that nobody holds.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = photo_work, treat_none_as_default_value = false)]
pub(crate) struct WorkRow {
    pub(crate) namespace: String,
    pub(crate) photo_id: String,
    pub(crate) kind: &'static str,
    pub(crate) owner: String,
    pub(crate) priority: i32,
    pub(crate) due_at: i64,
    pub(crate) attempts: i64,
    pub(crate) claims: i64,
}

impl WorkRow {
    /// How many values a row binds.
    pub(crate) const BINDS: usize = 8;
}

/// A priority's number: the lower goes first.
pub(crate) const fn priority_number(priority: Priority) -> i32 {
    match priority {
        Priority::Fresh => 0,
        Priority::Bulk => 1,
    }
}

/// The kind that a stored name names.
pub(crate) fn kind_of(name: &str) -> Result<WorkKind, RecordError> {
    WorkKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| RecordError::unreadable("kind")(format!("`{name}` is no kind of work").into()))
}
