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
        /// Earliest time of the execution.
        due_at: Timestamp,
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
        /// Earliest time of the execution.
        due_at: Timestamp,
        /// New number of attempts, as counted by the kind of work.
        attempts: u32,
        /// New number of claims.
        claims: u32,
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
    /// Number of claims including this one. It bounds the attempts of a photo that crashes its worker.
    pub claims: u32,
    /// Time at which the work was due.
    pub due_at: Timestamp,
}

/// Queue of scheduled work in the database.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Claims up to `limit` work items that are due and not claimed. Each claim is counted before its work starts.
    ///
    /// Fresh work is claimed before bulk work, and users take turns: the hundredth photo of one user is claimed after
    /// the first photo of another. Times are those of the database's clock.
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable>;

    /// Extends a claim to `lease` from now. Returns false if it is no longer valid.
    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable>;

    /// Earliest time at which a work item of these kinds is due or its lease expires; `None` if there is no work.
    async fn next_due(&self, kinds: &[WorkKind]) -> Result<Option<Timestamp>, Unavailable>;

    /// Number of work items of a kind that are due and not claimed.
    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable>;

    /// Makes every unclaimed `look` due now and returns their number: storage notifications may have been lost while
    /// the process was stopped.
    async fn make_looks_due(&self) -> Result<u64, Unavailable>;

    /// Expires all claims now and returns their number. For a process that starts and knows that the previous holders
    /// no longer run. The numbers of claims are kept.
    async fn expire_claims(&self) -> Result<u64, Unavailable>;
}
