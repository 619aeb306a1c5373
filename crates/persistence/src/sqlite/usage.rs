use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use rapidphoto_application::ports::{Unavailable, Usage, UsageReads};
use rapidphoto_domain::{Timestamp, UserId};

use super::SqliteStore;
use crate::{
    error::StoreError,
    number::{count, millis},
};

const USAGE: &str = "
    SELECT coalesce(sum(open_photos), 0) AS open_photos, coalesce(sum(stored_bytes), 0) AS stored_bytes,
           coalesce(sum(CASE WHEN day = ?3 THEN created END), 0) AS photos_of_day
    FROM usage_slots WHERE namespace = ?1 AND owner = ?2";

/// The row's kind is compared as in the partial index `photo_work_waiting`.
const OLDEST_DUE: &str = "
    SELECT 1 AS owners, min(due_at) AS due_at FROM photo_work
    WHERE namespace = ?1 AND owner = ?2 AND kind <> 'clean'
      AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))";

/// At most 1000 owners of waiting work, each found by one search of an index, as is the oldest work of each.
const LEAST_DELAY: &str = "
    WITH RECURSIVE waiting (owner, place) AS (
        SELECT (SELECT min(work.owner) FROM photo_work AS work
                WHERE work.namespace = ?1 AND work.kind <> 'clean'
                  AND (work.parked_until IS NULL OR (work.token IS NULL AND work.due_at < work.parked_until))), 1
        UNION ALL
        SELECT (SELECT min(work.owner) FROM photo_work AS work
                WHERE work.namespace = ?1 AND work.kind <> 'clean'
                  AND (work.parked_until IS NULL OR (work.token IS NULL AND work.due_at < work.parked_until))
                  AND work.owner > waiting.owner), place + 1
        FROM waiting WHERE waiting.owner IS NOT NULL AND place < 1000
    )
    SELECT count(owner) AS owners,
           max((SELECT min(work.due_at) FROM photo_work AS work
                WHERE work.namespace = ?1 AND work.owner = waiting.owner
                  AND (work.parked_until IS NULL OR (work.token IS NULL AND work.due_at < work.parked_until))
                  AND work.kind <> 'clean')) AS due_at
    FROM waiting WHERE owner IS NOT NULL";

#[async_trait]
impl UsageReads for SqliteStore {
    async fn usage(&self, owner: UserId, day: Timestamp) -> Result<Usage, Unavailable> {
        self.read(move |connection, namespace| {
            let row: UsageRow = sql_query(USAGE)
                .bind::<Text, _>(namespace)
                .bind::<Text, _>(owner.to_string())
                .bind::<BigInt, _>(millis(day).div_euclid(86_400_000))
                .get_result(connection)
                .map_err(StoreError::from)?;
            Ok(Usage {
                open_photos: count(row.open_photos),
                stored_bytes: count(row.stored_bytes),
                photos_of_day: count(row.photos_of_day),
            })
        })
        .await
    }

    async fn oldest_due(&self, owner: UserId) -> Result<Option<Duration>, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let waiting: Waiting = sql_query(OLDEST_DUE)
                .bind::<Text, _>(namespace)
                .bind::<Text, _>(owner.to_string())
                .get_result(connection)
                .map_err(StoreError::from)?;
            Ok(waiting.delay(clock.now()))
        })
        .await
    }

    async fn least_delay(&self, owners: usize) -> Result<Option<Duration>, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let waiting: Waiting = sql_query(LEAST_DELAY)
                .bind::<Text, _>(namespace)
                .get_result(connection)
                .map_err(StoreError::from)?;
            let enough = count(waiting.owners) >= owners as u64;
            Ok(waiting.delay(clock.now()).filter(|_| enough))
        })
        .await
    }
}

#[derive(QueryableByName)]
struct UsageRow {
    #[diesel(sql_type = BigInt)]
    open_photos: i64,
    #[diesel(sql_type = BigInt)]
    stored_bytes: i64,
    #[diesel(sql_type = BigInt)]
    photos_of_day: i64,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    owners: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    due_at: Option<i64>,
}

impl Waiting {
    /// Time since the work was due.
    fn delay(&self, now: Timestamp) -> Option<Duration> {
        let due = self.due_at?;
        Some(Duration::from_millis(count(millis(now).saturating_sub(due))))
    }
}
