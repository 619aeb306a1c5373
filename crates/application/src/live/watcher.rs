use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::stream;
use rapidphoto_domain::{JobId, StreamType, UserId};
use tokio::sync::broadcast::error::RecvError;

use super::{LiveError, LiveItem, LiveStream, tail::Joined};
use crate::{
    ports::{Cursor, EventFilter, EventLog, LogError, StoredEvent, Unavailable},
    progress::ProgressBoard,
};

/// One watcher: first what is pending, then what the log holds up to where it joined the tail, then what comes.
pub(super) struct Watcher {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) board: Arc<ProgressBoard>,
    pub(super) joined: Joined,
    pub(super) owner: UserId,
    /// Only this job.
    pub(super) job: Option<JobId>,
    /// What to tell first.
    pub(super) pending: VecDeque<LiveItem>,
    /// Everything up to here was told, or does not concern this watcher.
    pub(super) told: Cursor,
}

const PAGE: usize = 200;
/// How often the log is asked again when it ends before what the tail has read from it already.
const PATIENCE: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

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
            if self.told < self.joined.cursor {
                match self.backfill().await {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error.into())),
                }
            }
            tokio::select! {
                // What must not be left out goes before what may be.
                biased;
                event = self.joined.states.recv() => match event {
                    Ok(event) if event.cursor <= self.told => {}
                    Ok(event) => {
                        self.told = event.cursor;
                        if self.wants(&event) {
                            return Some(Ok(LiveItem::State(event)));
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Some(Err(LiveError::Lagged)),
                    Err(RecvError::Closed) => return None,
                },
                tick = self.joined.ticks.recv() => match tick {
                    Ok(tick) if self.job.is_none_or(|job| job == tick.job) => {
                        // The latest there is; of an upload that has arrived since, nothing.
                        if let Some(latest) = self.board.upload(tick.photo) {
                            return Some(Ok(LiveItem::Progress(latest)));
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Reads one page of what lies between what was told and where the tail was joined.
    async fn backfill(&mut self) -> Result<(), LogError> {
        let filter = EventFilter {
            owner: Some(self.owner),
            job: self.job,
            ..EventFilter::default()
        };
        for _ in 0..PATIENCE {
            let page = self.log.events_after(self.told, &filter, PAGE).await?;
            if page.scanned_to > self.told {
                self.told = page.scanned_to;
                let wanted = page.events.into_iter().filter(|event| self.wants(event));
                let items = wanted.map(|event| LiveItem::State(Arc::new(event)));
                self.pending = items.collect();
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Unavailable::record("the log ends before what was read from it").into())
    }

    fn wants(&self, event: &StoredEvent) -> bool {
        let concerns = match event.stream.stream_type() {
            StreamType::Photo | StreamType::Job => true,
            StreamType::User => false,
        };
        concerns && event.owner == self.owner && (self.job.is_none() || event.job == self.job)
    }
}
