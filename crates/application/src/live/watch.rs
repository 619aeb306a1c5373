use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rapidphoto_domain::{JobId, UserId};

use super::{
    LiveItem, LiveStream, LiveTail, Snapshot, Start,
    sent_progress::SentProgress,
    tail::TailSubscription,
    watcher::{JobEnd, Watcher},
};
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
    /// Position at which the stream starts.
    pub start: Start,
    /// True if the stream goes on after the job is terminal: a retry reopens it.
    pub follow: bool,
}

/// Request for the stream of all jobs and photos of a user.
#[derive(Debug, Clone)]
pub struct WatchUser {
    /// User to watch.
    pub owner: UserId,
    /// Position at which the stream starts.
    pub start: Start,
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

/// Most events of its user or job that a resumed stream reads from the log. A client that missed more receives a new
/// snapshot, which is smaller.
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

    /// Opens the stream of a job, with a snapshot or from the client's last cursor. Unless it follows the job further, it
    /// ends once the job is terminal.
    pub async fn job(&self, watch: WatchJob) -> Result<LiveStream, WatchError> {
        let WatchJob {
            owner,
            job,
            mut start,
            follow,
        } = watch;
        // Subscribed before anything is read: events that are committed meanwhile arrive twice instead of being lost,
        // and the watcher drops duplicates by their cursor.
        let subscription = self.tail.subscribe(owner).await?;
        let known = self.aggregates.job(job).await?;
        let known = known.filter(|known| known.value.owner == owner);
        let known = known.ok_or(WatchError::NoSuchJob)?;
        if !follow && known.value.outcome.is_some() && matches!(start, Start::After(_)) {
            // The snapshot of a terminal job is the end of its stream, whatever the client has missed.
            start = Start::Snapshot;
        }
        let end = if follow { JobEnd::Ignored } else { JobEnd::Pending };
        self.watch(subscription, owner, Some(job), start, end).await
    }

    /// Opens the stream of a user, from now on or from the client's last cursor.
    pub async fn user(&self, watch: WatchUser) -> Result<LiveStream, WatchError> {
        let WatchUser { owner, start } = watch;
        let subscription = self.tail.subscribe(owner).await?;
        self.watch(subscription, owner, None, start, JobEnd::Ignored)
            .await
    }

    async fn watch(
        &self,
        subscription: TailSubscription,
        owner: UserId,
        job: Option<JobId>,
        start: Start,
        end: JobEnd,
    ) -> Result<LiveStream, WatchError> {
        let mut watcher = Watcher {
            log: Arc::clone(&self.log),
            board: Arc::clone(&self.board),
            subscription,
            owner,
            job,
            end,
            pending: VecDeque::new(),
            versions: HashMap::new(),
            progress: SentProgress::default(),
            last_sent: Cursor::START,
        };
        if let Start::After(cursor) = start
            && self.can_resume(cursor, owner, job).await?
        {
            watcher.last_sent = cursor;
            return Ok(watcher.stream());
        }
        if start != Start::Snapshot {
            watcher.pending.push_back(LiveItem::Reset);
        }
        watcher.start_with(self.snapshot(owner, job).await?);
        Ok(watcher.stream())
    }

    /// Returns false if a cursor is beyond the end of the log, or if more than [`MAX_BACKLOG`] events of the watched user
    /// or job follow it.
    async fn can_resume(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
    ) -> Result<bool, Unavailable> {
        let behind = self
            .log
            .count_events_after(cursor, owner, job, MAX_BACKLOG + 1)
            .await?;
        Ok(behind.is_some_and(|missed| missed <= MAX_BACKLOG))
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
