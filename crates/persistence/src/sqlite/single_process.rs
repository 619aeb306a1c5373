use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, sql_query,
    sql_types::{BigInt, Bool, Text},
};
use rapidphoto_application::ports::{SingleProcess, Unavailable, WorkKind};

use super::{SqliteStore, claims::UNPARK_BATCH};
use crate::{
    error::StoreError,
    number::{count, limit, millis, millis_after},
    schema::subscriptions,
};

/// Expires claims.
const EXPIRE: &str = "
    UPDATE photo_work SET parked_until = NULL
    WHERE rowid IN (SELECT rowid FROM photo_work
                    WHERE namespace = ?1 AND kind = ?2 AND orphaned = ?3 AND parked_until > ?4
                      AND token IS NOT NULL LIMIT ?5)";

/// Lets unclaimed work be claimed at `?4` at the latest.
const SHORTEN: &str = "
    UPDATE photo_work SET parked_until = ?4
    WHERE rowid IN (SELECT rowid FROM photo_work
                    WHERE namespace = ?1 AND kind = ?2 AND orphaned = ?3 AND parked_until > ?4
                      AND token IS NULL LIMIT ?5)";

/// Makes unclaimed work due.
const MAKE_DUE: &str = "
    UPDATE photo_work SET parked_until = NULL, due_at = ?4
    WHERE rowid IN (SELECT rowid FROM photo_work
                    WHERE namespace = ?1 AND kind = ?2 AND orphaned = ?3 AND parked_until > ?4
                      AND token IS NULL LIMIT ?5)";

#[async_trait]
impl SingleProcess for SqliteStore {
    async fn expire_claims(&self) -> Result<u64, Unavailable> {
        let now = millis(self.clock.now());
        let mut ended = 0;
        for kind in WorkKind::ALL {
            // Claims are counted when they are made, so that claimed work is on the orphans' side of the index.
            ended += self.update_parked(EXPIRE, kind, true, now).await?;
        }
        Ok(ended)
    }

    async fn expire_leases(&self) -> Result<u64, Unavailable> {
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let now = millis(clock.now());
            let held = subscriptions::table
                .filter(subscriptions::namespace.eq(namespace))
                .filter(subscriptions::lease_until.gt(now));
            let ended = diesel::update(held)
                .set(subscriptions::lease_until.eq(now))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(ended as u64)
        })
        .await
    }

    async fn shorten_processing_delays(&self, longest: Duration) -> Result<u64, Unavailable> {
        let latest = millis_after(self.clock.now(), longest);
        let mut changed = 0;
        for orphaned in [false, true] {
            changed += self
                .update_parked(SHORTEN, WorkKind::Process, orphaned, latest)
                .await?;
        }
        Ok(changed)
    }

    async fn make_looks_due(&self) -> Result<u64, Unavailable> {
        let now = millis(self.clock.now());
        let mut changed = 0;
        for orphaned in [false, true] {
            changed += self
                .update_parked(MAKE_DUE, WorkKind::Look, orphaned, now)
                .await?;
        }
        Ok(changed)
    }
}

impl SqliteStore {
    /// Runs `statement` until it finds no more rows that are parked beyond `at`. Each batch is a transaction of its own, so that other writes are
    /// not delayed however many rows there are.
    async fn update_parked(
        &self,
        statement: &'static str,
        kind: WorkKind,
        orphaned: bool,
        at: i64,
    ) -> Result<u64, Unavailable> {
        let mut all = 0;
        loop {
            let batch = self.write(move |connection, namespace| {
                sql_query(statement)
                    .bind::<Text, _>(namespace)
                    .bind::<Text, _>(kind.as_str())
                    .bind::<Bool, _>(orphaned)
                    .bind::<BigInt, _>(at)
                    .bind::<BigInt, _>(UNPARK_BATCH)
                    .execute(connection)
                    .map_err(StoreError::from)
            });
            let changed = limit(batch.await?);
            all += count(changed);
            if changed < UNPARK_BATCH {
                return Ok(all);
            }
        }
    }
}
