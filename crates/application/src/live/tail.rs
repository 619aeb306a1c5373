use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::gauge;
use rapidphoto_domain::{DomainEvent, StreamId, UserId, photo::PhotoEvent};
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    error_chain::chain,
    ports::{Cursor, EventFilter, EventLog, EventPage, LogError, Ports, StoredEvent, Unavailable},
    progress::{ProgressBoard, ProgressTick},
    signals::Signals,
};

/// Tail of the log and the progress board, followed once for all watchers (live streams) of this process.
pub struct LiveTail {
    log: Arc<dyn EventLog>,
    board: Arc<ProgressBoard>,
    signals: Signals,
    poll: Duration,
    hub: Mutex<Hub>,
    phase: watch::Sender<Phase>,
}

/// Channels to the watchers, and the position that was delivered to them.
#[derive(Default)]
struct Hub {
    /// Position of the last event that was delivered to the subscribers.
    cursor: Cursor,
    channels_by_user: HashMap<UserId, Channels>,
}

/// Channels to the watchers of one user.
struct Channels {
    events: broadcast::Sender<Arc<StoredEvent>>,
    ticks: broadcast::Sender<ProgressTick>,
}

/// Subscription of one watcher to the events and ticks of a user.
pub(super) struct TailSubscription {
    pub(super) events: broadcast::Receiver<Arc<StoredEvent>>,
    pub(super) ticks: broadcast::Receiver<ProgressTick>,
    /// Position from which on `events` is complete.
    pub(super) cursor: Cursor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Following,
    Ended,
}

/// Events of one user that a slow watcher may have pending before its stream ends with [`LiveError::Lagged`].
///
/// [`LiveError::Lagged`]: super::LiveError::Lagged
const EVENT_CHANNEL_CAPACITY: usize = 1024;
/// Ticks of one user that a slow watcher may have pending before it misses some.
const TICK_CHANNEL_CAPACITY: usize = 256;
/// Events per read of the log.
const PAGE_SIZE: usize = 500;
/// Interval between two removals of channels without watchers.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// Longest wait of a new watcher for a tail that is still starting.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(5);

impl LiveTail {
    /// Creates a tail that reads the log when `signals` report a commit, and at least once per `poll`.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, signals: Signals, poll: Duration) -> Self {
        Self {
            log: Arc::clone(&ports.database.log),
            board,
            signals,
            poll,
            hub: Mutex::default(),
            phase: watch::Sender::new(Phase::Starting),
        }
    }

    /// Follows the log until `shutdown`, then ends every watcher's stream.
    ///
    /// Returns only after `shutdown`; errors are logged and retried.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.follow_log() => {}
            () = self.follow_progress() => {}
        }
        self.phase.send_replace(Phase::Ended);
        self.hub().channels_by_user.clear();
    }

    /// Subscribes to all events and ticks of a user's photos and jobs from now on.
    pub(super) async fn subscribe(&self, owner: UserId) -> Result<TailSubscription, Unavailable> {
        let mut phase = self.phase.subscribe();
        let started = phase.wait_for(|phase| *phase != Phase::Starting);
        // The result is ignored, because the phase is checked below while the lock is held.
        let _ = tokio::time::timeout(STARTUP_TIMEOUT, started).await.map(|_| ());
        // The cursor is read and the channels are subscribed to under one lock. `deliver` sends events and moves the
        // cursor under the same lock, so that no event is lost in between.
        let mut hub = self.hub();
        if *self.phase.borrow() != Phase::Following {
            return Err(Unavailable::database("the log is not being followed"));
        }
        let cursor = hub.cursor;
        let channels = hub.channels_by_user.entry(owner).or_insert_with(|| Channels {
            events: broadcast::Sender::new(EVENT_CHANNEL_CAPACITY),
            ticks: broadcast::Sender::new(TICK_CHANNEL_CAPACITY),
        });
        Ok(TailSubscription {
            events: channels.events.subscribe(),
            ticks: channels.ticks.subscribe(),
            cursor,
        })
    }

    async fn follow_log(&self) {
        let mut commits = self.signals.log();
        let mut backoff = INITIAL_BACKOFF;
        let mut last_sweep = Instant::now();
        loop {
            if last_sweep.elapsed() >= SWEEP_INTERVAL {
                self.sweep();
                last_sweep = Instant::now();
            }
            // Marked as seen before the log is read: a commit in between is not missed.
            commits.borrow_and_update();
            let at_end = match self.advance().await {
                Ok(at_end) => {
                    backoff = INITIAL_BACKOFF;
                    at_end
                }
                Err(error) => {
                    tracing::warn!(
                        error = %chain(&error), ?backoff,
                        "the log can't be read; live streams are delayed"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                    continue;
                }
            };
            if at_end {
                // A closed channel is no error: without signals the log is polled.
                let _ = tokio::time::timeout(self.poll, commits.changed()).await;
            }
        }
    }

    /// Reads and delivers the next page of the log. Returns true at the end of the log.
    async fn advance(&self) -> Result<bool, LogError> {
        if *self.phase.borrow() == Phase::Starting {
            // There are no subscribers yet, and watchers read earlier events from the log themselves.
            let head = self.log.head().await?;
            self.hub().cursor = head;
            self.phase.send_replace(Phase::Following);
        }
        let cursor = self.hub().cursor;
        let page = self
            .log
            .events_after(cursor, &EventFilter::default(), PAGE_SIZE)
            .await?;
        let at_end = page.at_end;
        self.deliver(page);
        Ok(at_end)
    }

    /// Sends the events of a page to the subscribers.
    fn deliver(&self, page: EventPage) {
        let mut hub = self.hub();
        for event in page.events {
            if ends_progress(&event.event)
                && let StreamId::Photo(photo) = event.stream
            {
                // Removed before the event is sent, so that no watcher receives a tick of the upload after its end.
                self.board.remove(photo);
            }
            if let Some(channels) = hub.channels_by_user.get(&event.owner) {
                // Sending fails if the last watcher has just disconnected, which is no error.
                let _ = channels.events.send(Arc::new(event));
            }
        }
        hub.cursor = page.scanned_to;
    }

    /// Removes the channels of users without watchers and reports the number of watchers.
    fn sweep(&self) {
        let mut hub = self.hub();
        hub.channels_by_user
            .retain(|_, channels| channels.events.receiver_count() > 0);
        let channels = hub.channels_by_user.values();
        let watchers: usize = channels.map(|channels| channels.events.receiver_count()).sum();
        drop(hub);
        #[expect(
            clippy::cast_precision_loss,
            reason = "the number of watchers is far below 2^52"
        )]
        gauge!("live_watchers").set(watchers as f64);
    }

    async fn follow_progress(&self) {
        let mut ticks = self.board.subscribe();
        loop {
            match ticks.recv().await {
                Ok(tick) => {
                    if let Some(channels) = self.hub().channels_by_user.get(&tick.owner) {
                        let _ = channels.ticks.send(tick);
                    }
                }
                // Ticks are best effort and may be skipped.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if an event makes earlier progress of the upload obsolete: it completed, ended or restarted.
const fn ends_progress(event: &DomainEvent) -> bool {
    let DomainEvent::Photo(event) = event else {
        return false;
    };
    match event {
        PhotoEvent::PhotoUploadCompleted {}
        | PhotoEvent::PhotoRetried { .. }
        | PhotoEvent::PhotoProcessingCompleted { .. }
        | PhotoEvent::PhotoRejected { .. }
        | PhotoEvent::PhotoFailed { .. }
        | PhotoEvent::PhotoCancelled {}
        | PhotoEvent::PhotoDeleted {} => true,
        PhotoEvent::PhotoQueued { .. }
        | PhotoEvent::PhotoUploadStarted {}
        | PhotoEvent::PhotoUploadRenewed { .. }
        | PhotoEvent::PhotoProcessingStarted { .. }
        | PhotoEvent::PhotoTagged { .. }
        | PhotoEvent::PhotoCleaningStarted {}
        | PhotoEvent::PhotoCleaned {}
        | PhotoEvent::PhotoUntagged { .. } => false,
    }
}
