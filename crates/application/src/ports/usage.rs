use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::{Timestamp, UserId};

use super::Unavailable;

/// Amounts that count against a user's quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Photos that have not ended: QUEUED, UPLOADING, VERIFYING or PROCESSING.
    pub open_photos: u64,
    /// Declared bytes of photos that are neither deleted nor cancelled.
    pub stored_bytes: u64,
    /// Photos created on the day in UTC that was asked for, deleted ones included.
    pub photos_of_day: u64,
}

/// Reads that decide whether new photos are accepted. What a commit changes counts as soon as it is written.
#[async_trait]
pub trait UsageReads: Send + Sync {
    /// Usage of a user; `day` is any time of the day that photos are counted for.
    async fn usage(&self, owner: UserId, day: Timestamp) -> Result<Usage, Unavailable>;

    /// Time that the owner's oldest `look` or `process` work has been due for that is claimable, or that was postponed and
    /// keeps its due time; `None` if there is none.
    async fn oldest_due(&self, owner: UserId) -> Result<Option<Duration>, Unavailable>;

    /// The least `oldest_due` of all owners who have one, or of 1000 of them if there are more; `None` if there are fewer
    /// than `owners`.
    async fn least_delay(&self, owners: usize) -> Result<Option<Duration>, Unavailable>;
}

/// Space for new data.
pub trait FreeSpace: Send + Sync {
    /// Bytes that can still be written where there is least space: database or objects.
    ///
    /// # Errors
    /// If it can't be determined.
    fn free_bytes(&self) -> Result<u64, Unavailable>;
}
