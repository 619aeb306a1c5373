use std::{fmt, time::Duration};

use async_trait::async_trait;
use rapidphoto_domain::{PhotoId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::Unavailable;

/// The kinds of work on a photo; each photo has at most one of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkKind {
    /// HEAD the object: has it arrived?
    Look,
    /// Download, inspect, make thumbnails, bring to an end.
    Process,
    /// Delete what is in storage.
    Clean,
}

impl WorkKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Look, Self::Process, Self::Clean];

    /// The kind's name in the record.
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

/// What goes first among all that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Someone is waiting: new uploads.
    Fresh,
    /// Nobody is waiting: reprocessing, cleaning.
    Bulk,
}

/// What a commit says about work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkOrder {
    /// There is work of this kind from now on, due then. What was there of the kind is replaced: its attempts and
    /// claims are forgotten, and whoever holds a claim on it has lost it.
    Schedule {
        /// On which photo.
        photo: PhotoId,
        /// Whose photo it is, for fairness between users.
        owner: UserId,
        /// Which work.
        kind: WorkKind,
        /// Not before this moment.
        due_at: Timestamp,
        /// What goes first.
        priority: Priority,
    },
    /// The claimed work is done.
    Finish {
        /// The claim, which must be held.
        claim: ClaimToken,
    },
    /// The claimed work goes on later; the claim is given back.
    Postpone {
        /// The claim, which must be held.
        claim: ClaimToken,
        /// Not before this moment.
        due_at: Timestamp,
        /// How many attempts count from now on.
        attempts: u32,
        /// How many claims count from now on.
        claims: u32,
    },
    /// There is no work of this kind any more, whoever holds a claim on it.
    Drop {
        /// On which photo.
        photo: PhotoId,
        /// Which work.
        kind: WorkKind,
    },
}

/// Proof that work was claimed and not taken away since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimToken {
    /// On which photo.
    pub photo: PhotoId,
    /// Which work.
    pub kind: WorkKind,
    /// Fences off earlier holders.
    pub token: u64,
}

/// Claimed work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The claim.
    pub token: ClaimToken,
    /// Whose photo it is.
    pub owner: UserId,
    /// How many attempts ended in an error.
    pub attempts: u32,
    /// How often it was claimed, this time included: a photo that kills its worker is known by this.
    pub claims: u32,
    /// When it was due.
    pub due_at: Timestamp,
}

/// The work that the record holds.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Claims up to `limit` pieces of work that are due and not held, counting each claim before anything is done.
    ///
    /// Fresh work goes before bulk work, and users take turns: nobody's hundredth photo goes before somebody's first.
    /// Time is the record's own.
    async fn claim(
        &self,
        kinds: &[WorkKind],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, Unavailable>;

    /// Keeps a claim for another `lease` from now; false if it is no longer held.
    async fn renew(&self, claim: ClaimToken, lease: Duration) -> Result<bool, Unavailable>;

    /// When the next piece of work of these kinds falls due or loses its holder; `None` if there is none at all.
    async fn next_due(&self, kinds: &[WorkKind]) -> Result<Option<Timestamp>, Unavailable>;

    /// How many pieces of work of a kind are due and not held.
    async fn depth(&self, kind: WorkKind) -> Result<u64, Unavailable>;

    /// Makes every `look` that is not held due now: after a restart, nobody knows which announcements were lost.
    async fn hasten_looks(&self) -> Result<u64, Unavailable>;

    /// Lets every lease that runs end now, and tells how many did: for a process that knows at its start that whoever
    /// held them is gone. Claims stay counted.
    async fn end_leases(&self) -> Result<u64, Unavailable>;
}
