//! Comparison of the usage slots with the photos.

use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::UsageMismatch;

use super::statement::statement;
use crate::{error::StoreError, rows::usage_mismatch};

statement! {
    /// User, and the stored and the counted number of open photos, of stored bytes and of photos created on the user's last
    /// day. All in one statement, and therefore of one snapshot.
    struct Mismatches<'a> {
        namespace: &'a str => Text,
    } -> (Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt)
    = "WITH
       photos_of_day AS (
           SELECT owner, created_at / 86400000 AS day, count(*) AS created,
                  count(*) FILTER (WHERE status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')) AS open,
                  coalesce(sum(bytes) FILTER (WHERE NOT deleted AND status <> 'CANCELLED'), 0) AS bytes
           FROM photos WHERE namespace = $1 GROUP BY 1, 2),
       slots_of_day AS (
           SELECT owner, day, sum(created) AS created, sum(open_photos) AS open, sum(stored_bytes) AS bytes
           FROM usage_slots WHERE namespace = $1 GROUP BY 1, 2),
       counted AS (
           SELECT owner, max(day) AS day, (array_agg(created ORDER BY day DESC))[1] AS created,
                  sum(open) AS open, sum(bytes) AS bytes
           FROM photos_of_day GROUP BY owner),
       stored AS (
           SELECT owner, max(day) AS day, (array_agg(created ORDER BY day DESC))[1] AS created,
                  sum(open) AS open, sum(bytes) AS bytes
           FROM slots_of_day GROUP BY owner),
       compared AS (
           SELECT owner,
                  coalesce(stored.open, 0)::bigint AS stored_open, coalesce(counted.open, 0)::bigint AS counted_open,
                  coalesce(stored.bytes, 0)::bigint AS stored_bytes, coalesce(counted.bytes, 0)::bigint AS counted_bytes,
                  CASE WHEN stored.day < counted.day THEN 0 ELSE coalesce(stored.created, 0) END::bigint
                      AS stored_created,
                  CASE WHEN counted.day < stored.day THEN 0 ELSE coalesce(counted.created, 0) END::bigint
                      AS counted_created
           FROM counted FULL JOIN stored USING (owner))
       SELECT owner, stored_open, stored_bytes, stored_created, counted_open, counted_bytes, counted_created
       FROM compared
       WHERE stored_open <> counted_open OR stored_bytes <> counted_bytes OR stored_created <> counted_created
       ORDER BY owner"
}

pub(super) async fn mismatches(
    mut connection: &AsyncPgConnection,
    namespace: &str,
) -> Result<Vec<UsageMismatch>, StoreError> {
    let rows: Vec<(String, i64, i64, i64, i64, i64, i64)> =
        Mismatches { namespace }.load(&mut connection).await?;
    rows.into_iter()
        .map(
            |(owner, open, bytes, created, counted_open, counted_bytes, counted_created)| {
                let counted = [counted_open, counted_bytes, counted_created];
                usage_mismatch(&owner, [open, bytes, created], counted)
            },
        )
        .collect()
}
