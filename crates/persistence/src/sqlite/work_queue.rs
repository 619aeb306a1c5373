use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _,
};
use rapidphoto_application::ports::{Claim, ClaimToken, Unavailable, WorkKind, WorkQueue};
use rapidphoto_domain::Timestamp;

use super::{
    SqliteStore,
    claims::{self, ClaimRequest},
};
use crate::{
    error::StoreError,
    number::{count, millis, millis_after, stored, timestamp},
    schema::photo_work,
};

#[async_trait]
impl WorkQueue for SqliteStore {
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable> {
        let kinds = kinds.to_vec();
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let request = ClaimRequest {
                kinds: &kinds,
                limit,
                now: clock.now(),
                lease,
            };
            Ok(claims::claim(connection, namespace, &request)?)
        })
        .await
    }

    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable> {
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let held = photo_work::table
                .filter(photo_work::namespace.eq(namespace))
                .filter(photo_work::photo_id.eq(claim.photo.to_string()))
                .filter(photo_work::kind.eq(claim.kind.as_str()))
                .filter(photo_work::token.eq(stored(claim.token)));
            let renewed = diesel::update(held)
                .set(photo_work::lease_until.eq(millis_after(clock.now(), lease)))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(renewed == 1)
        })
        .await
    }

    async fn next_due(&self, kinds: &[WorkKind]) -> Result<Option<Timestamp>, Unavailable> {
        let kinds = kinds.to_vec();
        self.read(move |connection, namespace| {
            let mut next = None;
            for kind in kinds {
                let first = photo_work::table
                    .filter(photo_work::namespace.eq(namespace))
                    .filter(photo_work::kind.eq(kind.as_str()))
                    .select(photo_work::ready_at)
                    .order(photo_work::ready_at)
                    .first::<i64>(connection)
                    .optional()
                    .map_err(StoreError::from)?;
                next = [next, first].into_iter().flatten().min();
            }
            Ok(next.map(timestamp))
        })
        .await
    }

    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let due = photo_work::table
                .filter(photo_work::namespace.eq(namespace))
                .filter(photo_work::kind.eq(kind.as_str()))
                .filter(photo_work::ready_at.le(millis(clock.now())))
                .count()
                .get_result::<i64>(connection)
                .map_err(StoreError::from)?;
            Ok(count(due))
        })
        .await
    }

    async fn make_looks_due(&self) -> Result<u64, Unavailable> {
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let now = millis(clock.now());
            let waiting = photo_work::table
                .filter(photo_work::namespace.eq(namespace))
                .filter(photo_work::kind.eq(WorkKind::Look.as_str()))
                .filter(photo_work::ready_at.gt(now))
                .filter(
                    photo_work::lease_until
                        .is_null()
                        .or(photo_work::lease_until.le(now)),
                );
            let changed = diesel::update(waiting)
                .set(photo_work::due_at.eq(now))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(changed as u64)
        })
        .await
    }

    async fn expire_claims(&self) -> Result<u64, Unavailable> {
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let now = millis(clock.now());
            let held = photo_work::table
                .filter(photo_work::namespace.eq(namespace))
                // Implied by the next filter; lets SQLite use the partial index on claimed work.
                .filter(photo_work::token.is_not_null())
                .filter(photo_work::lease_until.gt(now));
            let ended = diesel::update(held)
                .set(photo_work::lease_until.eq(now))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(ended as u64)
        })
        .await
    }
}
