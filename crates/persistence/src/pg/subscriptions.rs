use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{
    Cursor, SubscriptionLease, SubscriptionName, SubscriptionState, Subscriptions, Unavailable,
};

use super::{
    PgStore,
    statement::{now, statement},
};
use crate::{
    error::StoreError,
    number::{count, millis_of, stored, timestamp},
};

statement! {
    /// Rows are never deleted, so that the tokens of a name always increase. The name of the connection is that of the process.
    struct Acquire<'a> {
        namespace: &'a str => Text,
        name: &'static str => Text,
        lease: i64 => BigInt,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> (BigInt, BigInt, BigInt)
    = concat!(
        "INSERT INTO subscriptions AS held
             (namespace, name, cursor_epoch, cursor_position, token, lease_until, owner)
         VALUES ($1, $2, 0, 0, 1, ", now!("$4"), " + $3, current_setting('application_name'))
         ON CONFLICT (namespace, name) DO UPDATE
             SET token = held.token + 1, lease_until = excluded.lease_until, owner = excluded.owner
         WHERE held.lease_until IS NULL OR held.lease_until <= ", now!("$4"), "
         RETURNING cursor_epoch, cursor_position, token"
    )
}

statement! {
    /// Sets the lease's end, or releases it if no duration is given.
    struct SetLease<'a> {
        namespace: &'a str => Text,
        name: &'static str => Text,
        token: i64 => BigInt,
        lease: Option<i64> => Nullable<BigInt>,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!(
        "UPDATE subscriptions SET lease_until = ", now!("$5"), " + $4
         WHERE namespace = $1 AND name = $2 AND token = $3 AND lease_until IS NOT NULL"
    )
}

statement! {
    /// States, with leases that are valid.
    struct States<'a> {
        namespace: &'a str => Text,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> (Text, BigInt, BigInt, Nullable<BigInt>, Nullable<Text>)
    = concat!(
        "SELECT name, cursor_epoch, cursor_position, CASE WHEN lease_until > ", now!("$2"), " THEN lease_until END, owner
         FROM subscriptions WHERE namespace = $1 ORDER BY name COLLATE \"C\""
    )
}

/// Name, position, end of the lease and its last owner.
type StateRow = (String, i64, i64, Option<i64>, Option<String>);

#[async_trait]
impl Subscriptions for PgStore {
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable> {
        let statement = Acquire {
            namespace: &self.namespace,
            name,
            lease: millis_of(lease),
            test_now: self.test_now(),
        };
        let acquired: Option<(i64, i64, i64)> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(acquired.map(|(epoch, position, token)| SubscriptionLease {
            name,
            cursor: Cursor::new(count(epoch), count(position)),
            token: count(token),
        }))
    }

    async fn renew(&self, held: &SubscriptionLease, lease: Duration) -> Result<bool, Unavailable> {
        self.set_lease(held, Some(lease)).await
    }

    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable> {
        self.set_lease(held, None).await.map(drop)
    }

    async fn states(&self) -> Result<Vec<SubscriptionState>, Unavailable> {
        let statement = States {
            namespace: &self.namespace,
            test_now: self.test_now(),
        };
        let rows: Vec<StateRow> = statement
            .get_results(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let state = |(name, epoch, position, leased_until, owner): StateRow| SubscriptionState {
            name,
            cursor: Cursor::new(count(epoch), count(position)),
            leased_until: leased_until.map(timestamp),
            owner: owner.filter(|_| leased_until.is_some()),
        };
        Ok(rows.into_iter().map(state).collect())
    }
}

impl PgStore {
    /// Returns false if the lease was released or replaced; an expired lease can be renewed until then.
    async fn set_lease(
        &self,
        held: &SubscriptionLease,
        lease: Option<Duration>,
    ) -> Result<bool, Unavailable> {
        let statement = SetLease {
            namespace: &self.namespace,
            name: held.name,
            token: stored(held.token),
            lease: lease.map(millis_of),
            test_now: self.test_now(),
        };
        let changed = statement
            .execute(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(changed == 1)
    }
}
