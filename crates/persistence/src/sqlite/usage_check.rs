//! Comparison of the usage slots with the photos.

use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_application::ports::UsageMismatch;

use crate::{error::StoreError, rows::usage_mismatch};

/// One statement, and therefore of one snapshot. `created` is compared for the last day of each user that has any: in a
/// group with one `max()`, SQLite takes the other columns from the row of the maximum.
const MISMATCHES: &str = "
    WITH
    photos_of_day AS (
        SELECT owner, created_at / 86400000 AS day, count(*) AS created,
               sum(status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')) AS open,
               sum(CASE WHEN deleted OR status = 'CANCELLED' THEN 0 ELSE bytes END) AS bytes
        FROM photos WHERE namespace = ?1 GROUP BY owner, day),
    slots_of_day AS (
        SELECT owner, day, sum(created) AS created, sum(open_photos) AS open, sum(stored_bytes) AS bytes
        FROM usage_slots WHERE namespace = ?1 GROUP BY owner, day),
    counted AS (
        SELECT owner, max(day) AS day, created, sum(open) AS open, sum(bytes) AS bytes
        FROM photos_of_day GROUP BY owner),
    stored AS (
        SELECT owner, max(day) AS day, created, sum(open) AS open, sum(bytes) AS bytes
        FROM slots_of_day GROUP BY owner)
    SELECT owner,
           coalesce(stored.open, 0) AS stored_open, coalesce(counted.open, 0) AS counted_open,
           coalesce(stored.bytes, 0) AS stored_bytes, coalesce(counted.bytes, 0) AS counted_bytes,
           CASE WHEN stored.day < counted.day THEN 0 ELSE coalesce(stored.created, 0) END AS stored_created,
           CASE WHEN counted.day < stored.day THEN 0 ELSE coalesce(counted.created, 0) END AS counted_created
    FROM counted FULL JOIN stored USING (owner)
    WHERE stored_open <> counted_open OR stored_bytes <> counted_bytes OR stored_created <> counted_created
    ORDER BY owner";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = BigInt)]
    stored_open: i64,
    #[diesel(sql_type = BigInt)]
    counted_open: i64,
    #[diesel(sql_type = BigInt)]
    stored_bytes: i64,
    #[diesel(sql_type = BigInt)]
    counted_bytes: i64,
    #[diesel(sql_type = BigInt)]
    stored_created: i64,
    #[diesel(sql_type = BigInt)]
    counted_created: i64,
}

pub(super) fn mismatches(
    connection: &mut SqliteConnection,
    namespace: &str,
) -> Result<Vec<UsageMismatch>, StoreError> {
    let rows = sql_query(MISMATCHES)
        .bind::<Text, _>(namespace)
        .load::<Row>(connection)?;
    let mismatch = |row: Row| {
        let stored = [row.stored_open, row.stored_bytes, row.stored_created];
        let counted = [row.counted_open, row.counted_bytes, row.counted_created];
        usage_mismatch(&row.owner, stored, counted)
    };
    rows.into_iter().map(mismatch).collect()
}
