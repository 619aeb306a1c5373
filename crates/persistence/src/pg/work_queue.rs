use std::time::Duration;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{Claim, ClaimToken, MAX_DEPTH, Unavailable, WorkKind, WorkQueue};

use super::{
    PgStore,
    claims::ClaimRequest,
    statement::{now, statement},
};
use crate::{
    error::StoreError,
    number::{count, millis_of, stored},
};

statement! {
    struct Renew<'a> {
        namespace: &'a str => Text,
        photo: &'a str => Text,
        kind: &'static str => Text,
        token: i64 => BigInt,
        lease: i64 => BigInt,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!(
        "UPDATE photo_work SET parked_until = ", now!("$6"), " + $5
         WHERE namespace = $1 AND photo_id = $2 AND kind = $3 AND token = $4"
    )
}

statement! {
    /// Milliseconds until work of the kinds can be claimed, by at most two searches of indexes for each. Without an order the
    /// server would scan the table for a kind that has no work.
    struct ClaimableIn<'a> {
        namespace: &'a str => Text,
        kinds: Vec<&'static str> => Array<Text>,
        orphaned: bool => Bool,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> Nullable<BigInt>
    = concat!(
        "SELECT min(coalesce(
             (SELECT 0 FROM photo_work AS ready
              WHERE ready.namespace = $1 AND ready.kind = kinds.kind AND ready.orphaned = $3
                AND ready.parked_until IS NULL
              ORDER BY ready.priority, ready.owner LIMIT 1),
             (SELECT greatest(parked.parked_until - ", now!("$4"), ", 0) FROM photo_work AS parked
              WHERE parked.namespace = $1 AND parked.kind = kinds.kind AND parked.orphaned = $3
                AND parked.parked_until IS NOT NULL
              ORDER BY parked.parked_until LIMIT 1)))
         FROM unnest($2) AS kinds (kind)"
    )
}

statement! {
    /// Claimable work of a kind, counted up to a maximum. Each part has an order, so that it reads an index.
    struct Depth<'a> {
        namespace: &'a str => Text,
        kind: &'static str => Text,
        test_now: Option<i64> => Nullable<BigInt>,
        max: i64 => BigInt,
    } -> BigInt
    = concat!(
        "SELECT count(*) FROM (
             (SELECT FROM photo_work WHERE namespace = $1 AND kind = $2 AND NOT orphaned AND parked_until IS NULL
              ORDER BY priority, owner LIMIT $4)
             UNION ALL
             (SELECT FROM photo_work WHERE namespace = $1 AND kind = $2 AND orphaned AND parked_until IS NULL
              ORDER BY priority, owner LIMIT $4)
             UNION ALL
             (SELECT FROM photo_work
              WHERE namespace = $1 AND kind = $2 AND NOT orphaned AND parked_until <= ", now!("$3"), "
              ORDER BY parked_until LIMIT $4)
             UNION ALL
             (SELECT FROM photo_work
              WHERE namespace = $1 AND kind = $2 AND orphaned AND parked_until <= ", now!("$3"), "
              ORDER BY parked_until LIMIT $4)
             LIMIT $4) AS due"
    )
}

#[async_trait]
impl WorkQueue for PgStore {
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
        let statement = Renew {
            namespace: &self.namespace,
            photo: &claim.photo.to_string(),
            kind: claim.kind.as_str(),
            token: stored(claim.token),
            lease: millis_of(lease),
            test_now: self.test_now(),
        };
        let renewed = statement
            .execute(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(renewed == 1)
    }

    async fn due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.claimable_in(kinds, false).await
    }

    async fn orphan_due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable> {
        self.claimable_in(kinds, true).await
    }

    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable> {
        let statement = Depth {
            namespace: &self.namespace,
            kind: kind.as_str(),
            test_now: self.test_now(),
            max: stored(MAX_DEPTH),
        };
        let depth: i64 = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(count(depth))
    }
}

impl PgStore {
    async fn claim_work(
        &self,
        kinds: &[WorkKind],
        orphaned: bool,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable> {
        let request = ClaimRequest {
            namespace: &self.namespace,
            turns: &self.turns,
            kinds,
            orphaned,
            limit,
            lease,
            test_now: self.test_now(),
        };
        let connection = self.connection().await?;
        Ok(request.claim(&connection).await?)
    }

    async fn claimable_in(
        &self,
        kinds: &[WorkKind],
        orphaned: bool,
    ) -> Result<Option<Duration>, Unavailable> {
        let statement = ClaimableIn {
            namespace: &self.namespace,
            kinds: kinds.iter().map(|kind| kind.as_str()).collect(),
            orphaned,
            test_now: self.test_now(),
        };
        let wait: Option<i64> = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(wait.map(|wait| Duration::from_millis(count(wait))))
    }
}
