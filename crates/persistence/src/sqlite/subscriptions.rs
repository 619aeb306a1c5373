use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
    SqliteConnection,
};
use rapidphoto_application::ports::{
    Cursor, SubscriptionLease, SubscriptionName, SubscriptionState, Subscriptions, Unavailable,
};
use rapidphoto_domain::Timestamp;

use super::SqliteStore;
use crate::{
    error::StoreError,
    number::{count, millis, millis_after, stored, timestamp},
    schema::subscriptions,
};

#[async_trait]
impl Subscriptions for SqliteStore {
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable> {
        let clock = self.clock.clone();
        self.write(move |connection, namespace| {
            let acquired = acquire(connection, namespace, name, clock.now(), lease);
            Ok(acquired.map_err(StoreError::from)?)
        })
        .await
    }

    async fn renew(&self, held: &SubscriptionLease, lease: Duration) -> Result<bool, Unavailable> {
        let clock = self.clock.clone();
        let held = *held;
        self.write(move |connection, namespace| {
            let until = millis_after(clock.now(), lease);
            Ok(set_lease(connection, namespace, &held, Some(until)).map_err(StoreError::from)?)
        })
        .await
    }

    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable> {
        let held = *held;
        self.write(move |connection, namespace| {
            set_lease(connection, namespace, &held, None).map_err(StoreError::from)?;
            Ok(())
        })
        .await
    }

    async fn states(&self) -> Result<Vec<SubscriptionState>, Unavailable> {
        let clock = self.clock.clone();
        self.read(move |connection, namespace| {
            let rows = subscriptions::table
                .filter(subscriptions::namespace.eq(namespace))
                .select((
                    subscriptions::name,
                    subscriptions::cursor_epoch,
                    subscriptions::cursor_position,
                    subscriptions::lease_until,
                ))
                .order(subscriptions::name)
                .load::<(String, i64, i64, Option<i64>)>(connection)
                .map_err(StoreError::from)?;
            let now = millis(clock.now());
            let state =
                |(name, epoch, position, lease_until): (String, i64, i64, Option<i64>)| SubscriptionState {
                    name,
                    cursor: Cursor::new(count(epoch), count(position)),
                    leased_until: lease_until.filter(|until| *until > now).map(timestamp),
                    owner: None,
                };
            Ok(rows.into_iter().map(state).collect())
        })
        .await
    }
}

fn acquire(
    connection: &mut SqliteConnection,
    namespace: &str,
    name: SubscriptionName,
    now: Timestamp,
    lease: Duration,
) -> QueryResult<Option<SubscriptionLease>> {
    let known = subscriptions::table
        .filter(subscriptions::namespace.eq(namespace))
        .filter(subscriptions::name.eq(name))
        .select((
            subscriptions::cursor_epoch,
            subscriptions::cursor_position,
            subscriptions::token,
            subscriptions::lease_until,
        ))
        .first::<(i64, i64, i64, Option<i64>)>(connection)
        .optional()?;
    let (epoch, position, last_token, lease_until) = known.unwrap_or((0, 0, 0, None));
    if lease_until.is_some_and(|until| until > millis(now)) {
        return Ok(None);
    }
    // Rows are never deleted, so that the tokens of a name always increase.
    let token = last_token.saturating_add(1);
    diesel::replace_into(subscriptions::table)
        .values((
            subscriptions::namespace.eq(namespace),
            subscriptions::name.eq(name),
            subscriptions::cursor_epoch.eq(epoch),
            subscriptions::cursor_position.eq(position),
            subscriptions::token.eq(token),
            subscriptions::lease_until.eq(millis_after(now, lease)),
        ))
        .execute(connection)?;
    Ok(Some(SubscriptionLease {
        name,
        cursor: Cursor::new(count(epoch), count(position)),
        token: count(token),
    }))
}

/// Sets the lease's end. Returns false if the lease was released or replaced; an expired lease can be renewed until
/// then.
fn set_lease(
    connection: &mut SqliteConnection,
    namespace: &str,
    held: &SubscriptionLease,
    until: Option<i64>,
) -> QueryResult<bool> {
    let present = subscriptions::table
        .filter(subscriptions::namespace.eq(namespace))
        .filter(subscriptions::name.eq(held.name))
        .filter(subscriptions::token.eq(stored(held.token)))
        .filter(subscriptions::lease_until.is_not_null());
    let changed = diesel::update(present)
        .set(subscriptions::lease_until.eq(until))
        .execute(connection)?;
    Ok(changed == 1)
}
