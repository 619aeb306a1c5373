use std::time::Duration;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{Unavailable, Usage, UsageReads};
use rapidphoto_domain::{Timestamp, UserId};

use super::{
    PgStore,
    statement::{now, statement},
};
use crate::{
    error::StoreError,
    number::{count, millis},
};

statement! {
    struct ReadUsage<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        day: i64 => BigInt,
    } -> (BigInt, BigInt, BigInt)
    = "SELECT coalesce(sum(open_photos), 0)::bigint, coalesce(sum(stored_bytes), 0)::bigint,
              coalesce(sum(created) FILTER (WHERE day = $3), 0)::bigint
       FROM usage_slots WHERE namespace = $1 AND owner = $2"
}

statement! {
    /// Milliseconds since the owner's longest waiting work was due. The conditions are those of the index `photo_work_waiting`.
    struct OldestDue<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> Nullable<BigInt>
    = concat!(
        "SELECT ", now!("$3"), " - (
             SELECT due_at FROM photo_work
             WHERE namespace = $1 AND owner = $2 AND kind <> 'clean'
               AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))
             ORDER BY due_at LIMIT 1)"
    )
}

statement! {
    /// At most 1000 owners of waiting work, each found by one search of the index, as is the oldest work of each: their number
    /// and the milliseconds of the least delayed one.
    struct LeastDelay<'a> {
        namespace: &'a str => Text,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> (BigInt, Nullable<BigInt>)
    = concat!(
        "WITH RECURSIVE waiting (owner, due_at, place) AS (
             (SELECT owner, due_at, 1 FROM photo_work
              WHERE namespace = $1 AND kind <> 'clean'
                AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))
              ORDER BY owner, due_at LIMIT 1)
             UNION ALL
             SELECT next.owner, next.due_at, waiting.place + 1
             FROM waiting CROSS JOIN LATERAL (
                 SELECT owner, due_at FROM photo_work
                 WHERE namespace = $1 AND owner > waiting.owner AND kind <> 'clean'
                   AND (parked_until IS NULL OR (token IS NULL AND due_at < parked_until))
                 ORDER BY owner, due_at LIMIT 1
             ) AS next
             WHERE waiting.place < 1000
         )
         SELECT count(*), ", now!("$2"), " - max(due_at) FROM waiting"
    )
}

#[async_trait]
impl UsageReads for PgStore {
    async fn usage(&self, owner: UserId, day: Timestamp) -> Result<Usage, Unavailable> {
        let statement = ReadUsage {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            day: millis(day).div_euclid(86_400_000),
        };
        let (open_photos, stored_bytes, photos_of_day): (i64, i64, i64) = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(Usage {
            open_photos: count(open_photos),
            stored_bytes: count(stored_bytes),
            photos_of_day: count(photos_of_day),
        })
    }

    async fn oldest_due(&self, owner: UserId) -> Result<Option<Duration>, Unavailable> {
        let statement = OldestDue {
            namespace: &self.namespace,
            owner: &owner.to_string(),
            test_now: self.test_now(),
        };
        let age: Option<i64> = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(age.map(|age| Duration::from_millis(count(age))))
    }

    async fn least_delay(&self, owners: usize) -> Result<Option<Duration>, Unavailable> {
        let statement = LeastDelay {
            namespace: &self.namespace,
            test_now: self.test_now(),
        };
        let (waiting, delay): (i64, Option<i64>) = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let delay = delay.filter(|_| count(waiting) >= owners as u64);
        Ok(delay.map(|delay| Duration::from_millis(count(delay))))
    }
}
