use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::Timestamp;

use super::{Cursor, Unavailable};

/// Name of a subscription.
pub type SubscriptionName = &'static str;

/// Time-limited exclusive right to run a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionLease {
    /// Name of the subscription.
    pub name: SubscriptionName,
    /// Position up to which events have been handled.
    pub cursor: Cursor,
    /// Fencing token: excludes runners with an earlier lease.
    pub token: u64,
}

/// Advance of a subscription's position, committed together with the reaction's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// Name of the subscription.
    pub name: SubscriptionName,
    /// Required current position.
    pub from: Cursor,
    /// New position.
    pub to: Cursor,
    /// Fencing token of the lease, which must be the current one.
    pub token: u64,
}

/// Stored state of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Name of the subscription.
    pub name: String,
    /// Position up to which events have been handled.
    pub cursor: Cursor,
    /// End of the lease of its runner, which renews it; `None` if no runner holds it.
    pub leased_until: Option<Timestamp>,
    /// Process whose runner holds the lease, in a database of several processes: `program@host/pid`.
    pub owner: Option<String>,
}

/// Leases of subscriptions. Each has at most one runner; another one takes over when the lease expires.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Acquires the lease of a subscription; `None` if another runner holds it. A new subscription starts before the
    /// first event.
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable>;

    /// Extends the lease to `lease` from now. Returns false if it is no longer held.
    async fn renew(&self, held: &SubscriptionLease, lease: Duration) -> Result<bool, Unavailable>;

    /// Releases the lease, so that another runner can acquire it at once.
    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable>;

    /// States of the subscriptions that were ever acquired, ordered by name.
    async fn states(&self) -> Result<Vec<SubscriptionState>, Unavailable>;
}
