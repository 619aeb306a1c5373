use std::{fmt, time::Duration};

use async_trait::async_trait;
use rapidphoto_domain::{PhotoId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::Unavailable;

/// Kinds of work on a photo. A photo has at most one work item of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkKind {
    /// Send a HEAD request to check if the object was uploaded, and advance the photo accordingly.
    Look,
    /// Download and inspect the original, store thumbnails, and complete or reject the photo.
    Process,
    /// Delete the photo's objects from storage.
    Clean,
}

impl WorkKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Look, Self::Process, Self::Clean];

    /// Name of the kind in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Process => "process",
            Self::Clean => "clean",
        }
    }
}

impl fmt::Display for WorkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Order in which due work items are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Work that a user waits for, such as new uploads; claimed first.
    Fresh,
    /// Work that can wait, such as reprocessing and cleaning.
    Bulk,
}

/// Earliest execution of a work item, counted from the commit by the database's clock. The caller's clock has no
/// influence, so that clocks that differ neither delay nor advance work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now,
    /// After a delay, in whole milliseconds.
    After(Duration),
}

impl Due {
    /// At `at`, as seen from `now` on the same clock; at once if that is past.
    pub fn at(at: Timestamp, now: Timestamp) -> Self {
        (at - now).to_std().map_or(Self::Now, Self::After)
    }

    /// Delay from the commit.
    pub const fn delay(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::After(delay) => delay,
        }
    }
}

/// Change of the work queue in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkOrder {
    /// Adds a work item. It replaces an existing one of the same kind: attempts and claims restart at 0, and a claim
    /// on the old item becomes invalid.
    Schedule {
        /// Photo of the work item.
        photo: PhotoId,
        /// Owner of the photo, for fairness between users.
        owner: UserId,
        /// Kind of the work.
        kind: WorkKind,
        /// Earliest execution.
        due: Due,
        /// Order among due work.
        priority: Priority,
    },
    /// Removes a claimed work item that is done.
    Finish {
        /// Claim, which must still be valid.
        claim: ClaimToken,
    },
    /// Releases the claim and schedules the work item for later.
    Postpone {
        /// Claim, which must still be valid.
        claim: ClaimToken,
        /// Earliest execution.
        due: Due,
        /// New number of attempts, as counted by the kind of work.
        attempts: u32,
        /// New number of claims.
        claims: u32,
        /// True if no work of the kind can be done now: this item stays due since the time before the claim, which
        /// decides its age and its place among its owner's work, but can't be claimed before `due`. False for errors of
        /// one item, which must not look like a backlog.
        keeps_due_time: bool,
    },
    /// Removes a work item, even if it is claimed.
    Drop {
        /// Photo of the work item.
        photo: PhotoId,
        /// Kind of the work.
        kind: WorkKind,
    },
}

/// Identity of a claim, which is valid until the work item is claimed, scheduled or dropped again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimToken {
    /// Photo of the work item.
    pub photo: PhotoId,
    /// Kind of the work.
    pub kind: WorkKind,
    /// Fencing token: excludes earlier claims.
    pub token: u64,
}

/// Claimed work item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Identity of the claim.
    pub token: ClaimToken,
    /// Owner of the photo.
    pub owner: UserId,
    /// Attempts so far: errors of `process`, looks that found nothing, passes of `clean`.
    pub attempts: u32,
    /// Number of claims including this one, without those that were released. A number above 1 means that an earlier
    /// worker has probably crashed.
    pub claims: u32,
    /// Time at which the work was due.
    pub due_at: Timestamp,
}

/// Queue of scheduled work in the database. All times are those of the database's clock.
///
/// Work is orphaned if its claim ended without a release: its worker has crashed or hangs, perhaps because of this work.
/// Orphaned work is claimed by [`claim_orphan`](Self::claim_orphan) only, and executed alone, so that a crash can be
/// attributed to it.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Claims up to `limit` work items that are due, not claimed and not orphaned. Each claim is counted before its work
    /// starts.
    ///
    /// Fresh work is claimed before bulk work. Within a kind and priority, owners take turns in the order of their ids,
    /// starting after the owner who was served last; an owner's longest due work is claimed first. A newcomer thus waits
    /// for at most one round. The last owner is remembered in memory: several processes each keep a turn order of their
    /// own.
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable>;

    /// Claims one orphaned work item that is due, in the order of [`claim`](Self::claim).
    async fn claim_orphan(&self, kinds: &[WorkKind], lease: Duration) -> Result<Option<Claim>, Unavailable>;

    /// Extends a claim to `lease` from now. Returns false if it is no longer valid.
    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable>;

    /// Time until work of these kinds is due that is neither claimed nor orphaned, zero if there is some now; `None` if
    /// there is none.
    async fn due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable>;

    /// Time until orphaned work of these kinds is due or a lease expires, zero if there is some now; `None` if there is
    /// neither.
    async fn orphan_due_in(&self, kinds: &[WorkKind]) -> Result<Option<Duration>, Unavailable>;

    /// Number of work items of a kind that are due and not claimed, orphaned ones included, counted up to
    /// [`MAX_DEPTH`].
    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable>;
}

/// Largest number of work items that [`WorkQueue::depth`] counts: the cost of a measurement has a bound.
pub const MAX_DEPTH: u64 = 10_000;

/// Operations on the leases and the work of all processes. Only a database that one process uses has this port: called
/// beside another process, they would take away its leases.
#[async_trait]
pub trait SingleProcess: Send + Sync {
    /// Expires all claims now and returns their number. For a process that starts: the previous holders no longer run.
    /// The numbers of claims are kept, so that the work is orphaned.
    async fn expire_claims(&self) -> Result<u64, Unavailable>;

    /// Expires all leases of subscriptions now and returns their number. A runner can still renew its lease until a new
    /// runner acquires it.
    async fn expire_leases(&self) -> Result<u64, Unavailable>;

    /// Lets unclaimed `process` work be claimed within `longest`, and returns the number of items that were to wait for
    /// longer. For a process that starts: the clock may have been ahead when the delays of retries were stored.
    async fn shorten_processing_delays(&self, longest: Duration) -> Result<u64, Unavailable>;

    /// Makes every unclaimed `look` due now and returns the number of those that were not: storage notifications may
    /// have been lost while the process was stopped.
    async fn make_looks_due(&self) -> Result<u64, Unavailable>;
}
