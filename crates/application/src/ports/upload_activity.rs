use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::{PhotoId, Timestamp};

use super::Unavailable;

/// Shortest time between two stored signs of life of one upload. With one process an upload window may end early by as
/// much, with several by twice as much.
pub const ACTIVITY_INTERVAL: Duration = Duration::from_mins(1);

/// Last signs of life of running uploads, beyond those in the log. They extend upload windows, whichever process received
/// them.
///
/// They are stored at most once an [`ACTIVITY_INTERVAL`] and photo, whatever the number of processes, and beside the log: an upload of a day would have 1 440 events.
#[async_trait]
pub trait UploadActivity: Send + Sync {
    /// Records a sign of life of these uploads at `at`. One that is less than an [`ACTIVITY_INTERVAL`] later than the
    /// recorded one has no effect.
    async fn record_activity(&self, photos: &[PhotoId], at: Timestamp) -> Result<(), Unavailable>;

    /// Time of the last recorded sign of life of a photo's upload; `None` if there is none.
    async fn last_activity(&self, photo: PhotoId) -> Result<Option<Timestamp>, Unavailable>;

    /// Deletes the signs of life before a time, and returns their number.
    async fn delete_activity(&self, before: Timestamp) -> Result<u64, Unavailable>;
}
