use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, QueryableByName,
    RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_application::ports::{Claim, ClaimToken, MAX_DEPTH, Unavailable, WorkKind, WorkQueue};

use super::{
    SqliteStore,
    claims::{self, ClaimRequest},
};
use crate::{
    error::StoreError,
    number::{count, millis, millis_after, stored},
    schema::photo_work,
};

/// Claimable work of a kind, counted up to `?4`.
const DEPTH: &str = "
    SELECT count(*) AS due FROM (
        SELECT 1 FROM photo_work WHERE namespace = ?1 AND kind = ?2 AND parked_until IS NULL
        UNION ALL
        SELECT 1 FROM photo_work
        WHERE namespace = ?1 AND kind = ?2 AND orphaned IN (0, 1) AND parked_until <= ?3
        LIMIT ?4
    )";

#[async_trait]
impl WorkQueue for SqliteStore {
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable> {
        self.claim_work(kinds, false, limit, lease).await
    }

    async fn claim_orphan(&self, kinds: &[WorkKind], lease: Duration) -> Result<Option<Claim>, Unavailable> {
        Ok(self.claim_work(kinds, true, 1, lease).await?.pop())
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
                .set(photo_work::parked_until.eq(millis_after(clock.now(), lease)))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(renewed == 1)
        })
        .await
    }

    async fn due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.next_in(kinds, false).await
    }

    async fn orphan_due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.next_in(kinds, true).await
    }

    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let depth = sql_query(DEPTH)
                .bind::<Text, _>(namespace)
                .bind::<Text, _>(kind.as_str())
                .bind::<BigInt, _>(millis(clock.now()))
                .bind::<BigInt, _>(stored(MAX_DEPTH))
                .get_result::<Depth>(connection)
                .map_err(StoreError::from)?;
            Ok(count(depth.due))
        })
        .await
    }
}

#[derive(QueryableByName)]
struct Depth {
    #[diesel(sql_type = BigInt)]
    due: i64,
}

impl SqliteStore {
    async fn claim_work(
        &self,
        kinds: &[WorkKind],
        orphaned: bool,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable> {
        let kinds = kinds.to_vec();
        let (clock, turns) = (self.clock.clone(), self.turns.clone());
        self.write(move |connection, namespace| {
            let request = ClaimRequest {
                kinds: &kinds,
                orphaned,
                limit,
                now: clock.now(),
                lease,
            };
            Ok(claims::claim(connection, namespace, &turns, &request)?)
        })
        .await
    }

    /// Time until work of these kinds can be claimed.
    async fn next_in(&self, kinds: &[WorkKind], orphaned: bool) -> Result<Option<Duration>, Unavailable> {
        let kinds = kinds.to_vec();
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let now = millis(clock.now());
            let mut next = None;
            for kind in kinds {
                let at =
                    claimable_at(connection, namespace, kind, orphaned, now).map_err(StoreError::from)?;
                next = [next, at].into_iter().flatten().min();
            }
            Ok(next.map(|at| Duration::from_millis(count(at.saturating_sub(now)))))
        })
        .await
    }
}

/// Time at which the first work of a kind can be claimed: `now` if there is some.
fn claimable_at(
    connection: &mut SqliteConnection,
    namespace: &str,
    kind: WorkKind,
    orphaned: bool,
    now: i64,
) -> QueryResult<Option<i64>> {
    let of_kind = || {
        photo_work::table
            .filter(photo_work::namespace.eq(namespace))
            .filter(photo_work::kind.eq(kind.as_str()))
            .filter(photo_work::orphaned.eq(orphaned))
    };
    let ready = of_kind()
        .filter(photo_work::parked_until.is_null())
        .select(photo_work::claims)
        .first::<i64>(connection)
        .optional()?;
    if ready.is_some() {
        return Ok(Some(now));
    }
    let parked = of_kind()
        .filter(photo_work::parked_until.is_not_null())
        .select(photo_work::parked_until)
        .order(photo_work::parked_until)
        .first::<Option<i64>>(connection)
        .optional()?;
    Ok(parked.flatten())
}
