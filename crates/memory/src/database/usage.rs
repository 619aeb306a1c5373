use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::ports::{AggregateState, Unavailable, Usage, UsageReads, WorkKind};
use rapidphoto_domain::{Timestamp, UserId, photo::PhotoStatus};

use super::{MemoryStore, namespace::Namespace};

#[async_trait]
impl UsageReads for MemoryStore {
    async fn usage(&self, owner: UserId, day: Timestamp) -> Result<Usage, Unavailable> {
        self.read(|namespace| {
            let mut usage = Usage::default();
            for row in namespace.rows.values() {
                let AggregateState::Photo(photo) = &row.state else {
                    continue;
                };
                if photo.owner != owner {
                    continue;
                }
                let status = photo.status();
                usage.open_photos += u64::from(!status.is_terminal());
                if !photo.deleted && status != PhotoStatus::Cancelled {
                    usage.stored_bytes += photo.declared.bytes;
                }
                usage.photos_of_day += u64::from(row.created_at.date_naive() == day.date_naive());
            }
            usage
        })
        .await
    }

    async fn oldest_due(&self, owner: UserId) -> Result<Option<Duration>, Unavailable> {
        let now = self.clock.now();
        self.read(|namespace| delays(namespace, now).get(&owner).copied())
            .await
    }

    async fn least_delay(&self, owners: usize) -> Result<Option<Duration>, Unavailable> {
        let now = self.clock.now();
        self.read(|namespace| {
            let delays = delays(namespace, now);
            (delays.len() >= owners).then(|| delays.into_values().min())?
        })
        .await
    }
}

/// Time that the oldest waiting work of each owner has been due for.
fn delays(namespace: &Namespace, now: Timestamp) -> BTreeMap<UserId, Duration> {
    let mut delays = BTreeMap::new();
    let kinds = [WorkKind::Look, WorkKind::Process];
    let work = kinds.into_iter().flat_map(|kind| namespace.work.of_kind(kind));
    let waiting = work.filter(|(_, row)| {
        let postponed = |until| row.token.is_none() && row.due_at < until;
        row.parked_until.is_none_or(postponed)
    });
    for (_, row) in waiting {
        let delay = (now - row.due_at).to_std().unwrap_or_default();
        let oldest = delays.entry(row.owner).or_insert(delay);
        *oldest = delay.max(*oldest);
    }
    delays
}
