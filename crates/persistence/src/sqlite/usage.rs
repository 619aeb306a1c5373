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

const OLDEST_DUE: &str = "
    SELECT min(due_at) AS due_at FROM (
        SELECT min(due_at) AS due_at FROM photo_work
        WHERE namespace = ?1 AND kind = 'look' AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))
        UNION ALL
        SELECT min(due_at) FROM photo_work
        WHERE namespace = ?1 AND kind = 'process' AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))
    )";

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

    async fn oldest_due(&self) -> Result<Option<Duration>, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let oldest: Oldest = sql_query(OLDEST_DUE)
                .bind::<Text, _>(namespace)
                .get_result(connection)
                .map_err(StoreError::from)?;
            let now = millis(clock.now());
            let oldest = oldest.due_at.filter(|due| *due <= now);
            Ok(oldest.map(|due| Duration::from_millis(count(now.saturating_sub(due)))))
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
struct Oldest {
    #[diesel(sql_type = Nullable<BigInt>)]
    due_at: Option<i64>,
}
