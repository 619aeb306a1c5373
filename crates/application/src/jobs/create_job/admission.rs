//! Quotas of a user and back-pressure of the deployment, checked before a job is created.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, UserId};

use super::{
    command::CreateJobError,
    not_admitted::{NotAdmitted, Quota},
};
use crate::{
    ports::{Clock, FreeSpace, Ports, Unavailable, UsageReads},
    settings::QuotaSettings,
};

/// Size of a batch, without files that are already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BatchSize {
    pub(super) photos: u64,
    pub(super) bytes: u64,
}

/// Checks whether new photos are accepted.
///
/// Admitted files are reserved until they are written, so that requests at the same time can't exceed a quota together. Each
/// process has reservations of its own: a user can exceed a quota by what the other processes admit at the same moment.
pub(in crate::jobs) struct Admission {
    usage: Arc<dyn UsageReads>,
    space: Arc<dyn FreeSpace>,
    clock: Arc<dyn Clock>,
    settings: QuotaSettings,
    /// Time of the last look at all owners' waiting work, and the least delay then.
    least_delay: Mutex<Option<(Timestamp, Option<Duration>)>>,
    reserved: Reserved,
}

/// Batches of each user that are admitted and not yet written.
type Reserved = Arc<Mutex<HashMap<UserId, BatchSize>>>;

/// An admitted batch, to be dropped once it is written.
pub(super) struct Reservation {
    reserved: Reserved,
    owner: UserId,
    size: BatchSize,
}

/// Time after which some open photos may have ended.
const PHOTOS_END: Duration = Duration::from_mins(1);
/// Time for which the least delay is not read again.
const DELAY_CACHE: Duration = Duration::from_secs(1);
/// Owners with waiting work from which on they may delay others. Claims serve owners in turn, so that a new one waits for
/// one photo of each of them, however many they have.
const MANY_OWNERS: usize = 100;

impl Admission {
    pub(in crate::jobs) fn new(ports: &Ports, settings: QuotaSettings) -> Self {
        Self {
            usage: Arc::clone(&ports.database.usage),
            space: Arc::clone(&ports.free_space),
            clock: Arc::clone(&ports.clock),
            settings,
            least_delay: Mutex::default(),
            reserved: Reserved::default(),
        }
    }

    /// Accepts a batch, or says why it is not accepted now.
    pub(super) async fn admit(&self, owner: UserId, batch: BatchSize) -> Result<Reservation, CreateJobError> {
        self.check_space(batch)?;
        self.check_backlog(owner).await?;
        let limits = self.settings;
        // Before the usage is read: what is no longer reserved then is part of it.
        let (reservation, reserved) = self.reserve(owner, batch);
        if [limits.open_photos, limits.stored_bytes, limits.photos_per_day] == [0; 3] {
            return Ok(reservation);
        }
        let now = self.clock.now();
        let mut usage = self.usage.usage(owner, now).await?;
        usage.open_photos += reserved.photos;
        usage.photos_of_day += reserved.photos;
        usage.stored_bytes += reserved.bytes;
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
        Ok(reservation)
    }

    /// Refuses failed uploads that would begin again beyond the open photos.
    pub(in crate::jobs) async fn admit_again(
        &self,
        owner: UserId,
        photos: u64,
    ) -> Result<(), CreateJobError> {
        let allowed = self.settings.open_photos;
        if photos == 0 || allowed == 0 {
            return Ok(());
        }
        let used = self.usage.usage(owner, self.clock.now()).await?.open_photos;
        if used.saturating_add(photos) > allowed {
            let exceeded = NotAdmitted::Quota {
                quota: Quota::OpenPhotos,
                used,
                requested: photos,
                allowed,
                retry_after: Some(PHOTOS_END),
            };
            return Err(exceeded.into());
        }
        Ok(())
    }

    /// Reserves a batch. Also returns what was reserved before.
    fn reserve(&self, owner: UserId, size: BatchSize) -> (Reservation, BatchSize) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let of_owner = reserved.entry(owner).or_default();
        let before = *of_owner;
        of_owner.photos += size.photos;
        of_owner.bytes += size.bytes;
        drop(reserved);
        let reservation = Reservation {
            reserved: Arc::clone(&self.reserved),
            owner,
            size,
        };
        (reservation, before)
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

    /// Refuses an owner whose own work waits too long, and everybody if the work of all owners does.
    async fn check_backlog(&self, owner: UserId) -> Result<(), CreateJobError> {
        let allowed = self.settings.max_work_age;
        if allowed.is_zero() {
            return Ok(());
        }
        let own = self.usage.oldest_due(owner).await?;
        match own.max(self.least_delay().await?) {
            Some(age) if age > allowed => Err(NotAdmitted::Backlog { age, allowed }.into()),
            _ => Ok(()),
        }
    }

    async fn least_delay(&self) -> Result<Option<Duration>, Unavailable> {
        let now = self.clock.now();
        let cached = *self.least_delay.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, delay)) = cached
            && (now - at).to_std().is_ok_and(|since| since < DELAY_CACHE)
        {
            return Ok(delay);
        }
        let delay = self.usage.least_delay(MANY_OWNERS).await?;
        *self.least_delay.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, delay));
        Ok(delay)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_owner) = reserved.get_mut(&self.owner) {
            of_owner.photos -= self.size.photos;
            of_owner.bytes -= self.size.bytes;
            if *of_owner == BatchSize::default() {
                reserved.remove(&self.owner);
            }
        }
    }
}

/// Time until the next day in UTC begins.
fn until_midnight(now: Timestamp) -> Duration {
    let day = Duration::from_hours(24);
    let elapsed = now.timestamp_millis().rem_euclid(24 * 60 * 60 * 1000);
    day.saturating_sub(Duration::from_millis(u64::try_from(elapsed).unwrap_or(0)))
}
