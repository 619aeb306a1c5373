//! Quotas of a user and back-pressure of the deployment, checked before a job is created.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, UserId};

use super::command::CreateJobError;
use crate::{
    ports::{Clock, FreeSpace, Ports, Unavailable, UsageReads},
    settings::QuotaSettings,
};

/// Quota of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Photos that have not ended.
    OpenPhotos,
    /// Bytes of photos.
    StoredBytes,
    /// Photos created on one day in UTC.
    PhotosPerDay,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenPhotos => "photos that are not finished",
            Self::StoredBytes => "bytes of photos",
            Self::PhotosPerDay => "new photos a day",
        })
    }
}

/// Reason for which new photos are not accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The batch exceeds a quota of the user.
    #[error("{used} of {allowed} {quota} are used, and the batch needs {requested} more")]
    Quota {
        /// The quota.
        quota: Quota,
        /// Amount used before this batch.
        used: u64,
        /// Amount that this batch needs.
        requested: u64,
        /// Maximum amount.
        allowed: u64,
        /// Time after which the quota is free again, if it is known.
        retry_after: Option<Duration>,
    },
    /// The batch would leave too little free space.
    #[error("{free} bytes are free, of which {reserved} stay free; the batch needs {requested}")]
    Space {
        /// Free bytes.
        free: u64,
        /// Bytes that stay free.
        reserved: u64,
        /// Bytes of the batch.
        requested: u64,
    },
    /// Photos wait too long for their processing.
    #[error("photos have been waiting for processing for {} s, more than {} s", .age.as_secs(), .allowed.as_secs())]
    Backlog {
        /// Time that the oldest photo has been waiting.
        age: Duration,
        /// Maximum time.
        allowed: Duration,
    },
}

/// Size of a batch, without files that are already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BatchSize {
    pub(super) photos: u64,
    pub(super) bytes: u64,
}

/// Checks whether new photos are accepted.
///
/// Quotas are checked before the commit: requests of one user that run at the same time can exceed them by what they
/// create together, which the rate of job creations bounds.
pub(super) struct Admission {
    usage: Arc<dyn UsageReads>,
    space: Arc<dyn FreeSpace>,
    clock: Arc<dyn Clock>,
    settings: QuotaSettings,
    /// Time of the last look at the oldest work, and its age then.
    backlog: Mutex<Option<(Timestamp, Option<Duration>)>>,
}

/// Time after which some open photos may have ended.
const PHOTOS_END: Duration = Duration::from_mins(1);
/// Time for which the age of the oldest work is not read again.
const BACKLOG_CACHE: Duration = Duration::from_secs(1);

impl Admission {
    pub(super) fn new(ports: &Ports, settings: QuotaSettings) -> Self {
        Self {
            usage: Arc::clone(&ports.database.usage),
            space: Arc::clone(&ports.free_space),
            clock: Arc::clone(&ports.clock),
            settings,
            backlog: Mutex::default(),
        }
    }

    /// Accepts a batch, or says why it is not accepted now.
    pub(super) async fn admit(&self, owner: UserId, batch: BatchSize) -> Result<(), CreateJobError> {
        self.check_space(batch)?;
        self.check_backlog().await?;
        let limits = self.settings;
        if [limits.open_photos, limits.stored_bytes, limits.photos_per_day] == [0; 3] {
            return Ok(());
        }
        let now = self.clock.now();
        let usage = self.usage.usage(owner, now).await?;
        let (photos, bytes) = (batch.photos, batch.bytes);
        for (quota, used, requested, allowed, retry_after) in [
            (
                Quota::OpenPhotos,
                usage.open_photos,
                photos,
                limits.open_photos,
                Some(PHOTOS_END),
            ),
            (
                Quota::StoredBytes,
                usage.stored_bytes,
                bytes,
                limits.stored_bytes,
                None,
            ),
            (
                Quota::PhotosPerDay,
                usage.photos_of_day,
                photos,
                limits.photos_per_day,
                Some(until_midnight(now)),
            ),
        ] {
            if allowed > 0 && used.saturating_add(requested) > allowed {
                let exceeded = NotAdmitted::Quota {
                    quota,
                    used,
                    requested,
                    allowed,
                    retry_after,
                };
                return Err(exceeded.into());
            }
        }
        Ok(())
    }

    fn check_space(&self, batch: BatchSize) -> Result<(), CreateJobError> {
        let reserved = self.settings.min_free_bytes;
        if reserved == 0 {
            return Ok(());
        }
        let free = self.space.free_bytes()?;
        if free < reserved.saturating_add(batch.bytes) {
            let requested = batch.bytes;
            return Err(NotAdmitted::Space {
                free,
                reserved,
                requested,
            }
            .into());
        }
        Ok(())
    }

    async fn check_backlog(&self) -> Result<(), CreateJobError> {
        let allowed = self.settings.max_work_age;
        if allowed.is_zero() {
            return Ok(());
        }
        match self.oldest_due().await? {
            Some(age) if age > allowed => Err(NotAdmitted::Backlog { age, allowed }.into()),
            _ => Ok(()),
        }
    }

    async fn oldest_due(&self) -> Result<Option<Duration>, Unavailable> {
        let now = self.clock.now();
        let cached = *self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, age)) = cached
            && (now - at).to_std().is_ok_and(|since| since < BACKLOG_CACHE)
        {
            return Ok(age);
        }
        let age = self.usage.oldest_due().await?;
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, age));
        Ok(age)
    }
}

/// Time until the next day in UTC begins.
fn until_midnight(now: Timestamp) -> Duration {
    let day = Duration::from_hours(24);
    let elapsed = now.timestamp_millis().rem_euclid(24 * 60 * 60 * 1000);
    day.saturating_sub(Duration::from_millis(u64::try_from(elapsed).unwrap_or(0)))
}
