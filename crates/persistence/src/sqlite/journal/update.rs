//! Updates of many state rows by one statement each, whatever their number.

use diesel::{
    OptionalExtension as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_domain::StreamId;
use serde_json::{Value, json};

use crate::{error::StoreError, rows::parsed};

/// Table of state rows.
#[derive(Clone, Copy)]
pub(super) struct Table {
    name: &'static str,
    id: &'static str,
    /// Columns that are set beside version, state and time, each after a comma.
    also: &'static str,
}

pub(super) const USERS: Table = Table {
    name: "users",
    id: "user_id",
    also: "",
};
pub(super) const JOBS: Table = Table {
    name: "upload_jobs",
    id: "job_id",
    also: "",
};
pub(super) const PHOTOS: Table = Table {
    name: "photos",
    id: "photo_id",
    also: ", status = changed.value ->> 3",
};
/// Separate, because setting `deleted` makes SQLite update the indexes whose condition it is.
pub(super) const DELETED_PHOTOS: Table = Table {
    also: ", status = changed.value ->> 3, deleted = 1",
    ..PHOTOS
};

/// New values of a state row.
pub(super) struct Changed<'a> {
    pub(super) id: &'a str,
    pub(super) version: i64,
    pub(super) state: &'a Value,
    /// Status of a photo.
    pub(super) status: &'static str,
    pub(super) updated_at: i64,
}

#[derive(QueryableByName)]
struct Missing {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Updates rows that must exist. All of a commit's rows have the same time.
pub(super) fn update_all<'a>(
    connection: &mut SqliteConnection,
    namespace: &str,
    table: Table,
    rows: impl Iterator<Item = Changed<'a>>,
) -> Result<(), StoreError> {
    let mut updated_at = 0;
    let rows: Vec<Value> = rows
        .inspect(|row| updated_at = row.updated_at)
        .map(|row| json!([row.id, row.version, row.state.to_string(), row.status]))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let Table { name, id, also } = table;
    let expected = rows.len();
    let rows = Value::Array(rows).to_string();
    let updated = sql_query(format!(
        "UPDATE {name} SET version = changed.value ->> 1, state = changed.value ->> 2, updated_at = ?{also} \
         FROM json_each(?) AS changed WHERE {name}.namespace = ? AND {name}.{id} = changed.value ->> 0"
    ))
    .bind::<BigInt, _>(updated_at)
    .bind::<Text, _>(&rows)
    .bind::<Text, _>(namespace)
    .execute(connection)?;
    if updated == expected {
        return Ok(());
    }
    let missing = sql_query(format!(
        "SELECT changed.value ->> 0 AS id FROM json_each(?) AS changed WHERE NOT EXISTS \
         (SELECT 1 FROM {name} WHERE namespace = ? AND {id} = changed.value ->> 0) LIMIT 1"
    ))
    .bind::<Text, _>(&rows)
    .bind::<Text, _>(namespace)
    .get_result::<Missing>(connection)
    .optional()?;
    missing.map_or(Ok(()), |missing| check_updated(0, &missing.id))
}

/// Checks that one row was updated. The version check has passed, so that the stream has events and must have a row.
pub(super) fn check_updated(rows: usize, id: &str) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    let stream: StreamId = parsed("stream_id", id)?;
    Err(StoreError::NoStateRow(stream))
}
