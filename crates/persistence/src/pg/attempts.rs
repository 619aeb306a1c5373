use std::time::Duration;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{
    ATTEMPT_WINDOW, Admission, AttemptBudget, AttemptCounters, AttemptKey, Counts, Outcome,
    PENDING_RETRY_DELAY, Unavailable,
};
use rapidphoto_domain::Timestamp;

use super::{
    PgStore,
    batches::delete_all,
    statement::{now, statement},
};
use crate::{
    error::StoreError,
    number::{count, limit, millis, millis_of, timestamp},
};

statement! {
    struct Begin<'a> {
        namespace: &'a str => Text,
        keys: Vec<&'a [u8]> => Array<Binary>,
        allowed: Vec<i64> => Array<BigInt>,
        pends: Vec<bool> => Array<Bool>,
        delays: Vec<bool> => Array<Bool>,
        test_now: Option<i64> => Nullable<BigInt>,
        window: i64 => BigInt,
        pending_reset: i64 => BigInt,
    } -> (Nullable<BigInt>, Bool, BigInt, BigInt)
    = "SELECT began_at, delayed, remaining, reset FROM begin_attempt($1, $2, $3, $4, $5, $6, $7, $8)"
}

statement! {
    /// An attempt counts once it has failed, or if it was counted from its start and is not withdrawn.
    struct Settle<'a> {
        namespace: &'a str => Text,
        keys: Vec<&'a [u8]> => Array<Binary>,
        fails: Vec<bool> => Array<Bool>,
        forgives: Vec<bool> => Array<Bool>,
        began_at: i64 => BigInt,
    } -> BigInt
    = "WITH settled AS MATERIALIZED (
           SELECT a.key, o.fails, o.forgives FROM attempts AS a
           JOIN unnest($2, $3, $4) AS o (key, fails, forgives) ON o.key = a.key
           WHERE a.namespace = $1 ORDER BY a.key FOR UPDATE OF a
       )
       UPDATE attempts AS a SET
           pending = without_one(a.pending, $5),
           counted = CASE
               WHEN settled.forgives THEN '{}'
               WHEN settled.fails AND $5 = ANY (a.pending) THEN a.counted || $5
               WHEN settled.fails OR $5 = ANY (a.pending) THEN a.counted
               ELSE without_one(a.counted, $5)
           END
       FROM settled WHERE a.namespace = $1 AND a.key = settled.key"
}

statement! {
    /// Rows of attempts that are being counted are skipped.
    struct DeleteExpired<'a> {
        namespace: &'a str => Text,
        test_now: Option<i64> => Nullable<BigInt>,
        limit: i64 => BigInt,
    } -> BigInt
    = concat!(
        "DELETE FROM attempts WHERE ctid = ANY(ARRAY(
             SELECT ctid FROM attempts WHERE namespace = $1 AND expires_at <= ", now!("$2"), "
             LIMIT $3 FOR UPDATE SKIP LOCKED))"
    )
}

#[async_trait]
impl AttemptCounters for PgStore {
    async fn begin(&self, budgets: &[AttemptBudget]) -> Result<Admission, Unavailable> {
        let statement = Begin {
            namespace: &self.namespace,
            keys: budgets.iter().map(|budget| &budget.key.0[..]).collect(),
            allowed: budgets
                .iter()
                .map(|budget| limit(budget.allowed.max(1)))
                .collect(),
            pends: budgets
                .iter()
                .map(|budget| budget.counts != Counts::All)
                .collect(),
            delays: budgets
                .iter()
                .map(|budget| budget.counts == Counts::FailuresWithDelay)
                .collect(),
            test_now: self.test_now(),
            window: millis_of(ATTEMPT_WINDOW),
            pending_reset: millis_of(PENDING_RETRY_DELAY),
        };
        let (began_at, delayed, remaining, reset): (Option<i64>, bool, i64, i64) = statement
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(Admission {
            began_at: began_at.map(timestamp),
            delayed,
            remaining: usize::try_from(remaining).unwrap_or(0),
            reset: Duration::from_millis(count(reset)),
        })
    }

    async fn settle(
        &self,
        began_at: Timestamp,
        outcomes: &[(AttemptKey, Outcome)],
    ) -> Result<(), Unavailable> {
        let are = |wanted| {
            outcomes
                .iter()
                .map(move |(_, outcome)| *outcome == wanted)
                .collect()
        };
        let statement = Settle {
            namespace: &self.namespace,
            keys: outcomes.iter().map(|(key, _)| &key.0[..]).collect(),
            fails: are(Outcome::Failed),
            forgives: are(Outcome::Forgiven),
            began_at: millis(began_at),
        };
        statement
            .execute(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }

    async fn delete_expired_attempts(&self) -> Result<(), Unavailable> {
        let (namespace, test_now) = (&*self.namespace, self.test_now());
        delete_all(&mut *self.connection().await?, |limit| DeleteExpired {
            namespace,
            test_now,
            limit,
        })
        .await?;
        Ok(())
    }
}
