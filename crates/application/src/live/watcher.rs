use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::stream;
use rapidphoto_domain::{DomainEvent, JobId, StreamId, StreamType, UserId, Version, job::JobEvent};
use tokio::sync::broadcast::error::RecvError;

use super::{LiveError, LiveItem, LiveStream, Snapshot, sent_progress::SentProgress, tail::TailSubscription};
use crate::{
    ports::{Cursor, EventFilter, EventLog, LogError, StoredEvent, Unavailable},
    progress::ProgressBoard,
};

/// Source of one client's stream: first the pending items, then the events of the log up to the start of the
/// subscription (backfill), then the events and ticks of the subscription.
pub(super) struct Watcher {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) board: Arc<ProgressBoard>,
    pub(super) subscription: TailSubscription,
    pub(super) owner: UserId,
    /// Job to restrict the stream to.
    pub(super) job: Option<JobId>,
    /// End of the stream with its job.
    pub(super) end: JobEnd,
    /// Items to send next.
    pub(super) pending: VecDeque<LiveItem>,
    /// Versions of the photos in the snapshot. A snapshot can contain changes after its cursor, which the log brings
    /// again.
    pub(super) versions: HashMap<StreamId, Version>,
    /// Progress that was sent.
    pub(super) progress: SentProgress,
    /// Position of the last event that was sent or skipped as irrelevant.
    pub(super) last_sent: Cursor,
}

/// End of a stream with its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobEnd {
    /// The stream goes on after the job is terminal.
    Ignored,
    /// The stream ends when the job is terminal, which it isn't yet.
    Pending,
    /// The job is terminal: the stream ends after the events up to the start of the subscription.
    Reached,
    /// The end was sent.
    Sent,
}

/// Events per read of the log.
const PAGE_SIZE: usize = 200;
/// Reads of the log before an error is returned, while the log appears to end before the start of the subscription.
const MAX_BACKFILL_READS: usize = 20;
const BACKFILL_RETRY_INTERVAL: Duration = Duration::from_millis(50);

impl Watcher {
    pub(super) fn stream(self) -> LiveStream {
        Box::pin(stream::unfold(Some(self), |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await? {
                Ok(item) => Some((Ok(item), Some(watcher))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    async fn next(&mut self) -> Option<Result<LiveItem, LiveError>> {
        loop {
            if let Some(item) = self.pending.pop_front() {
                return Some(Ok(item));
            }
            if self.end == JobEnd::Sent {
                return None;
            }
            if self.last_sent < self.subscription.cursor {
                match self.backfill().await {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error.into())),
                }
            }
            if self.end == JobEnd::Reached {
                self.end = JobEnd::Sent;
                return Some(Ok(LiveItem::JobEnded));
            }
            tokio::select! {
                // Events first: unlike ticks they must not be skipped.
                biased;
                event = self.subscription.events.recv() => match event {
                    Ok(event) if event.cursor <= self.last_sent => {}
                    Ok(event) => {
                        self.last_sent = event.cursor;
                        if self.is_relevant(&event) {
                            self.apply(&event);
                            return Some(Ok(LiveItem::State(event)));
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Some(Err(LiveError::Lagged)),
                    Err(RecvError::Closed) => return None,
                },
                tick = self.subscription.ticks.recv() => match tick {
                    Ok(tick) if self.job.is_none_or(|job| job == tick.job) => {
                        // The latest progress is sent, and none if the upload has ended since.
                        if let Some(latest) = self.board.upload(tick.photo)
                            && self.progress.raise(latest)
                        {
                            return Some(Ok(LiveItem::Progress(latest)));
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Reads one page of the events between the last sent one and the start of the subscription.
    async fn backfill(&mut self) -> Result<(), LogError> {
        let filter = EventFilter {
            owner: Some(self.owner),
            job: self.job,
            ..EventFilter::default()
        };
        for _ in 0..MAX_BACKFILL_READS {
            let page = self.log.events_after(self.last_sent, &filter, PAGE_SIZE).await?;
            if page.scanned_to > self.last_sent {
                self.last_sent = page.scanned_to;
                for event in page.events {
                    if self.is_relevant(&event) {
                        self.apply(&event);
                        self.pending.push_back(LiveItem::State(Arc::new(event)));
                    }
                }
                return Ok(());
            }
            tokio::time::sleep(BACKFILL_RETRY_INTERVAL).await;
        }
        Err(Unavailable::database("the log ends before a position that was already read from it").into())
    }

    /// Begins the stream with a snapshot.
    pub(super) fn start_with(&mut self, snapshot: Snapshot) {
        self.last_sent = snapshot.cursor();
        if let Snapshot::Job(job) = &snapshot {
            let photos = job.view.photos.iter();
            self.versions = photos.map(|view| (view.photo.id.into(), view.version)).collect();
            self.progress = SentProgress::of(job);
            if self.end == JobEnd::Pending && job.view.outcome.is_some() {
                // Events up to the start of the subscription are older than the outcome.
                self.last_sent = self.last_sent.max(self.subscription.cursor);
                self.end = JobEnd::Reached;
            }
        }
        self.pending.push_back(LiveItem::Snapshot(snapshot));
    }

    /// Notes what an event means for later items.
    fn apply(&mut self, event: &StoredEvent) {
        self.progress.apply(event);
        match (&event.event, self.end) {
            (DomainEvent::Job(JobEvent::UploadJobCompleted { .. }), JobEnd::Pending) => {
                self.end = JobEnd::Reached;
            }
            (DomainEvent::Job(JobEvent::UploadJobReopened { .. }), JobEnd::Reached) => {
                self.end = JobEnd::Pending;
            }
            _ => {}
        }
    }

    fn is_relevant(&self, event: &StoredEvent) -> bool {
        let is_new = self
            .versions
            .get(&event.stream)
            .is_none_or(|known| event.version > *known);
        let is_photo_or_job = match event.stream.stream_type() {
            StreamType::Photo | StreamType::Job => true,
            StreamType::User => false,
        };
        is_new
            && is_photo_or_job
            && event.owner == self.owner
            && (self.job.is_none() || event.job == self.job)
    }
}
