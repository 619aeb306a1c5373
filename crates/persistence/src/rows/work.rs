use diesel::prelude::*;
use rapidphoto_application::ports::Priority;

use crate::schema::photo_work;

/// Scheduled work without a claim.
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
    pub(crate) parked_until: Option<i64>,
}

impl WorkRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 9;
}

/// Sort key of a priority; lower numbers are claimed first.
pub(crate) const fn priority_number(priority: Priority) -> i32 {
    match priority {
        Priority::Fresh => 0,
        Priority::Bulk => 1,
    }
}
