use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    SubscriptionLease, SubscriptionName, SubscriptionState, Subscriptions, Unavailable,
};

use super::{
    MemoryStore,
    namespace::{Lease, Namespace, SubscriptionRow},
};
use crate::Operation;

#[async_trait]
impl Subscriptions for MemoryStore {
    async fn acquire(
        &self,
        name: SubscriptionName,
        lease: Duration,
    ) -> Result<Option<SubscriptionLease>, Unavailable> {
        self.call(Operation::Claim, |namespace| {
            let now = self.clock.now();
            let held = |namespace: &Namespace| namespace.subscriptions.get(name).and_then(|row| row.lease);
            if held(namespace).is_some_and(|lease| lease.is_active(now)) {
                return None;
            }
            let token = namespace.next_token();
            let row = namespace.subscriptions.entry(name).or_default();
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
        self.call(Operation::Claim, |namespace| {
            let until = self.clock.now() + lease;
            match current(namespace, held) {
                Some(current) => {
                    current.until = until;
                    true
                }
                None => false,
            }
        })
        .await
    }

    async fn release(&self, held: &SubscriptionLease) -> Result<(), Unavailable> {
        self.call(Operation::Claim, |namespace| {
            if current(namespace, held).is_some()
                && let Some(row) = namespace.subscriptions.get_mut(held.name)
            {
                row.lease = None;
            }
        })
        .await
    }

    async fn states(&self) -> Result<Vec<SubscriptionState>, Unavailable> {
        self.call(Operation::Read, |namespace| {
            let now = self.clock.now();
            let state = |(name, row): (&SubscriptionName, &SubscriptionRow)| SubscriptionState {
                name: (*name).to_owned(),
                cursor: row.cursor,
                leased_until: row
                    .lease
                    .filter(|lease| lease.is_active(now))
                    .map(|lease| lease.until),
                owner: None,
            };
            namespace.subscriptions.iter().map(state).collect()
        })
        .await
    }
}

/// The lease, if it was neither released nor replaced.
fn current<'a>(namespace: &'a mut Namespace, held: &SubscriptionLease) -> Option<&'a mut Lease> {
    let row = namespace.subscriptions.get_mut(held.name)?;
    row.lease.as_mut().filter(|lease| lease.token == held.token)
}
