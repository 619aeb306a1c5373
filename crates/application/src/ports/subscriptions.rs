use std::time::Duration;

use async_trait::async_trait;

use super::{Cursor, Unavailable};

/// A subscription's name.
pub type SubscriptionName = &'static str;

/// The right to run a subscription, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionLease {
    /// Which subscription.
    pub name: SubscriptionName,
    /// How far it has come.
    pub cursor: Cursor,
    /// Fences off earlier runners.
    pub token: u64,
}

/// Moves a subscription's position, together with what it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// Which subscription.
    pub name: SubscriptionName,
    /// Where it must be.
    pub from: Cursor,
    /// Where it shall be.
    pub to: Cursor,
    /// The lease's token, which must be the present one.
    pub token: u64,
}

/// Who runs which subscription. One runner each; another takes over when its lease runs out.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Takes a subscription if nobody holds it. One that is new starts before the first event.
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable>;

    /// Keeps it for another `lease` from now; false if it is no longer held.
    async fn renew(&self, held: &SubscriptionLease, lease: Duration) -> Result<bool, Unavailable>;

    /// Gives it back, so that another can take it at once.
    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable>;

    /// Lets every lease end at once, and tells how many that were: for a process that knows that it is alone and has
    /// just begun. Whoever runs a subscription after all can still renew while nobody has overtaken it.
    async fn end_all(&self) -> Result<u64, Unavailable>;
}
