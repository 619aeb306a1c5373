use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{AggregateState, Unavailable, Usage, UsageReads, WorkKind};
use rapidphoto_domain::{Timestamp, UserId, photo::PhotoStatus};

use super::MemoryStore;

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

    async fn oldest_due(&self) -> Result<Option<Duration>, Unavailable> {
        let now = self.clock.now();
        self.read(|namespace| {
            let kinds = [WorkKind::Look, WorkKind::Process];
            let work = kinds.into_iter().flat_map(|kind| namespace.work.of_kind(kind));
            let waiting = work.filter(|(_, row)| {
                let postponed = |until| row.token.is_none() && row.due_at < until;
                row.parked_until.is_none_or(postponed)
            });
            let oldest = waiting.map(|(_, row)| row.due_at).min()?;
            (now - oldest).to_std().ok()
        })
        .await
    }
}
