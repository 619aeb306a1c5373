use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{SubscriptionLease, SubscriptionName, Subscriptions, Unavailable};

use super::{
    MemoryStore,
    space::{Lease, Space},
};
use crate::Operation;

#[async_trait]
impl Subscriptions for MemoryStore {
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable> {
        self.call(Operation::Claim, |space| {
            let now = self.clock.now();
            let held = |space: &Space| space.subscriptions.get(name).and_then(|row| row.lease);
            if held(space).is_some_and(|lease| lease.lasts(now)) {
                return None;
            }
            let token = space.next_token();
            let row = space.subscriptions.entry(name).or_default();
            row.lease = Some(Lease {
                token,
                until: now + lease,
            });
            Some(SubscriptionLease {
                name,
                cursor: row.cursor,
                token,
            })
        })
        .await
    }

    async fn renew(&self, held: &SubscriptionLease, lease: Duration) -> Result<bool, Unavailable> {
        self.call(Operation::Claim, |space| {
            let until = self.clock.now() + lease;
            match present(space, held) {
                Some(present) => {
                    present.until = until;
                    true
                }
                None => false,
            }
        })
        .await
    }

    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable> {
        self.call(Operation::Claim, |space| {
            if present(space, held).is_some()
                && let Some(row) = space.subscriptions.get_mut(held.name)
            {
                row.lease = None;
            }
        })
        .await
    }

    async fn end_all(&self) -> Result<u64, Unavailable> {
        self.call(Operation::Claim, |space| {
            let now = self.clock.now();
            let mut ended = 0;
            let leases = space.subscriptions.values_mut();
            let leases = leases.filter_map(|row| row.lease.as_mut());
            for lease in leases.filter(|lease| lease.lasts(now)) {
                lease.until = now;
                ended += 1;
            }
            ended
        })
        .await
    }
}

/// The lease, if nobody has taken it since.
fn present<'a>(space: &'a mut Space, held: &SubscriptionLease) -> Option<&'a mut Lease> {
    let row = space.subscriptions.get_mut(held.name)?;
    row.lease.as_mut().filter(|lease| lease.token == held.token)
}
