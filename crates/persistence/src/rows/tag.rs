use diesel::prelude::*;

use crate::schema::photo_tags;

/// Entry of the index of photos by tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Insertable)]
#[diesel(table_name = photo_tags, treat_none_as_default_value = false)]
pub(crate) struct TagRow {
    pub(crate) namespace: String,
    pub(crate) owner: String,
    pub(crate) label: String,
    pub(crate) photo_id: String,
}

impl TagRow {
    /// Number of values that a row binds.
    pub(crate) const BINDS: usize = 4;
}
