use diesel::prelude::*;
use serde_json::Value;

use crate::schema::photo_details;

/// Filename of a photo.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = photo_details, treat_none_as_default_value = false)]
pub(crate) struct NameRow {
    pub(crate) namespace: String,
    pub(crate) photo_id: String,
    pub(crate) filename: String,
}

impl NameRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 3;
}

/// Hashes of a photo's content.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = photo_details, treat_none_as_default_value = false)]
pub(crate) struct HashesRow {
    pub(crate) namespace: String,
    pub(crate) photo_id: String,
    pub(crate) hashes: Value,
}

impl HashesRow {
    /// Bound values of one row.
    pub(crate) const BINDS: usize = 3;
}
