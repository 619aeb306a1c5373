use std::{collections::VecDeque, sync::Arc};

use rapidphoto_domain::{JobId, UserId};

use super::{LiveItem, LiveStream, LiveTail, Snapshot, watcher::Watcher};
use crate::{
    jobs::JobSnapshot,
    ports::{Aggregates, Cursor, EventLog, JobReads, Ports, Unavailable},
    progress::ProgressBoard,
};

/// Watches one job.
#[derive(Debug, Clone)]
pub struct WatchJob {
    /// Whose job it is.
    pub owner: UserId,
    /// Which job.
    pub job: JobId,
    /// The last cursor that the watcher was told, to go on from.
    pub last_event_id: Option<String>,
}

/// Watches everything of a user.
#[derive(Debug, Clone)]
pub struct WatchUser {
    /// Which user.
    pub owner: UserId,
    /// The last cursor that the watcher was told, to go on from.
    pub last_event_id: Option<String>,
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Lets users watch what happens.
#[derive(Clone)]
pub struct WatchHandler {
    aggregates: Arc<dyn Aggregates>,
    jobs: Arc<dyn JobReads>,
    log: Arc<dyn EventLog>,
    board: Arc<ProgressBoard>,
    tail: Arc<LiveTail>,
}

/// A watcher that missed more than this begins anew: a snapshot is less.
const MOST_MISSED: u64 = 10_000;

impl WatchHandler {
    /// A handler on these ports; `tail` must be running.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, tail: Arc<LiveTail>) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            jobs: Arc::clone(&ports.database.jobs),
            log: Arc::clone(&ports.database.log),
            board,
            tail,
        }
    }

    /// Watches a job: from a snapshot on, or from where the watcher was.
    pub async fn job(&self, watch: WatchJob) -> Result<LiveStream, WatchError> {
        let WatchJob {
            owner,
            job,
            last_event_id,
        } = watch;
        let known = self.aggregates.job(job).await?;
        if known.is_none_or(|known| known.value.owner != owner) {
            return Err(WatchError::NoSuchJob);
        }
        self.watch(owner, Some(job), last_event_id).await
    }

    /// Watches everything of a user, from now on or from where the watcher was.
    pub async fn user(&self, watch: WatchUser) -> Result<LiveStream, WatchError> {
        self.watch(watch.owner, None, watch.last_event_id).await
    }

    async fn watch(
        &self,
        owner: UserId,
        job: Option<JobId>,
        last_event_id: Option<String>,
    ) -> Result<LiveStream, WatchError> {
        // Joined before anything is read: what happens meanwhile is heard of twice rather than not at all.
        let joined = self.tail.join(owner).await?;
        let mut pending = VecDeque::new();
        let resumed = match &last_event_id {
            Some(raw) => self.resume(raw).await?,
            None => None,
        };
        let told = if let Some(cursor) = resumed {
            cursor
        } else {
            if last_event_id.is_some() {
                pending.push_back(LiveItem::Reset);
            }
            let snapshot = self.snapshot(owner, job).await?;
            let cursor = snapshot.cursor();
            pending.push_back(LiveItem::Snapshot(snapshot));
            cursor
        };
        let watcher = Watcher {
            log: Arc::clone(&self.log),
            board: Arc::clone(&self.board),
            joined,
            owner,
            job,
            pending,
            told,
        };
        Ok(watcher.stream())
    }

    /// The cursor to go on from, if this is one of ours and not too much was missed.
    async fn resume(&self, raw: &str) -> Result<Option<Cursor>, Unavailable> {
        let Ok(cursor) = raw.parse() else {
            return Ok(None);
        };
        let behind = self.log.events_behind(cursor, MOST_MISSED + 1).await?;
        Ok(behind.filter(|missed| *missed <= MOST_MISSED).map(|_| cursor))
    }

    async fn snapshot(&self, owner: UserId, job: Option<JobId>) -> Result<Snapshot, WatchError> {
        match job {
            Some(job) => {
                let view = self.jobs.job(owner, job).await?;
                let view = view.ok_or(WatchError::NoSuchJob)?;
                Ok(Snapshot::Job(Box::new(JobSnapshot::of(view, &self.board))))
            }
            None => Ok(Snapshot::User {
                cursor: self.log.head().await?,
            }),
        }
    }
}
