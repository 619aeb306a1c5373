use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rapidphoto_domain::{JobId, UserId};

use super::{LiveItem, LiveStream, LiveTail, Snapshot, sent_progress::SentProgress, watcher::Watcher};
use crate::{
    jobs::JobSnapshot,
    ports::{Aggregates, Cursor, EventLog, JobReads, Ports, Unavailable},
    progress::ProgressBoard,
};

/// Request for the stream of one job.
#[derive(Debug, Clone)]
pub struct WatchJob {
    /// Owner of the job.
    pub owner: UserId,
    /// Job to watch.
    pub job: JobId,
    /// Last cursor that the client received, to resume from; unchecked text.
    pub last_event_id: Option<String>,
}

/// Request for the stream of all jobs and photos of a user.
#[derive(Debug, Clone)]
pub struct WatchUser {
    /// User to watch.
    pub owner: UserId,
    /// Last cursor that the client received, to resume from; unchecked text.
    pub last_event_id: Option<String>,
}

/// Reasons why a stream can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The user has no such job.
    #[error("there is no such job")]
    NoSuchJob,
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Opens live streams.
#[derive(Clone)]
pub struct WatchHandler {
    aggregates: Arc<dyn Aggregates>,
    jobs: Arc<dyn JobReads>,
    log: Arc<dyn EventLog>,
    board: Arc<ProgressBoard>,
    tail: Arc<LiveTail>,
}

/// Most events of its user or job that a resumed stream reads from the log. A client that missed more receives a new snapshot, which is
/// smaller.
const MAX_BACKLOG: u64 = 10_000;

impl WatchHandler {
    /// Creates a handler. `tail` must be running.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, tail: Arc<LiveTail>) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            jobs: Arc::clone(&ports.database.jobs),
            log: Arc::clone(&ports.database.log),
            board,
            tail,
        }
    }

    /// Opens the stream of a job, with a snapshot or from the client's last cursor.
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

    /// Opens the stream of a user, from now on or from the client's last cursor.
    pub async fn user(&self, watch: WatchUser) -> Result<LiveStream, WatchError> {
        self.watch(watch.owner, None, watch.last_event_id).await
    }

    async fn watch(
        &self,
        owner: UserId,
        job: Option<JobId>,
        last_event_id: Option<String>,
    ) -> Result<LiveStream, WatchError> {
        // Subscribed before anything is read: events that are committed meanwhile arrive twice instead of being lost,
        // and the watcher drops duplicates by their cursor.
        let subscription = self.tail.subscribe(owner).await?;
        let (mut pending, mut versions) = (VecDeque::new(), HashMap::new());
        let mut progress = SentProgress::default();
        let resumed = match &last_event_id {
            Some(raw) => self.resume(raw, owner, job).await?,
            None => None,
        };
        let last_sent = if let Some(cursor) = resumed {
            cursor
        } else {
            if last_event_id.is_some() {
                pending.push_back(LiveItem::Reset);
            }
            let snapshot = self.snapshot(owner, job).await?;
            let cursor = snapshot.cursor();
            versions = snapshot.versions();
            if let Snapshot::Job(job) = &snapshot {
                progress = SentProgress::of(job);
            }
            pending.push_back(LiveItem::Snapshot(snapshot));
            cursor
        };
        let watcher = Watcher {
            log: Arc::clone(&self.log),
            board: Arc::clone(&self.board),
            subscription,
            owner,
            job,
            pending,
            versions,
            progress,
            last_sent,
        };
        Ok(watcher.stream())
    }

    /// Parses the cursor to resume from. `None` if it is malformed or beyond the end of the log, or if more than
    /// [`MAX_BACKLOG`] events of the watched user or job follow it.
    async fn resume(
        &self,
        raw: &str,
        owner: UserId,
        job: Option<JobId>,
    ) -> Result<Option<Cursor>, Unavailable> {
        let Ok(cursor) = raw.parse() else {
            return Ok(None);
        };
        let behind = self
            .log
            .count_events_after(cursor, owner, job, MAX_BACKLOG + 1)
            .await?;
        Ok(behind.filter(|missed| *missed <= MAX_BACKLOG).map(|_| cursor))
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
