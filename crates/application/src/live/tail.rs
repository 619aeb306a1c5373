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

/// Follows the log and the progress board, once for all watchers of this process.
pub struct LiveTail {
    log: Arc<dyn EventLog>,
    board: Arc<ProgressBoard>,
    signals: Signals,
    poll: Duration,
    hub: Mutex<Hub>,
    phase: watch::Sender<Phase>,
}

#[derive(Default)]
struct Hub {
    /// Everything up to here was handed to those who had joined by then.
    cursor: Cursor,
    owners: HashMap<UserId, Channels>,
}

/// What the watchers of one user hear from.
struct Channels {
    states: broadcast::Sender<Arc<StoredEvent>>,
    ticks: broadcast::Sender<ProgressTick>,
}

/// What one watcher hears from.
pub(super) struct Joined {
    pub(super) states: broadcast::Receiver<Arc<StoredEvent>>,
    pub(super) ticks: broadcast::Receiver<ProgressTick>,
    /// Everything after this comes by `states`.
    pub(super) cursor: Cursor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Following,
    Ended,
}

/// How many state changes of its owner a watcher may be behind.
const STATES_KEPT: usize = 1024;
const TICKS_KEPT: usize = 256;
const PAGE: usize = 500;
const SWEEP: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// How long a watcher that comes first waits for the tail.
const START: Duration = Duration::from_secs(5);

impl LiveTail {
    /// A tail of this log, which it looks at whenever `signals` tell of events and every `poll`.
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

    /// Follows until `shutdown`, then ends every watcher's stream. Nothing but `shutdown` ends it.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.follow_log() => {}
            () = self.follow_progress() => {}
        }
        self.phase.send_replace(Phase::Ended);
        self.hub().owners.clear();
    }

    /// Hears of everything that happens to a user's photos and jobs from now on.
    pub(super) async fn join(&self, owner: UserId) -> Result<Joined, Unavailable> {
        let mut phase = self.phase.subscribe();
        let started = phase.wait_for(|phase| *phase != Phase::Starting);
        // Whether that succeeded is asked under the lock, below.
        let _ = tokio::time::timeout(START, started).await.map(|_| ());
        // Joining and reading the cursor are one step, as are handing out and moving it: nothing falls in between.
        let mut hub = self.hub();
        if *self.phase.borrow() != Phase::Following {
            return Err(Unavailable::record("nobody follows the log"));
        }
        let cursor = hub.cursor;
        let channels = hub.owners.entry(owner).or_insert_with(|| Channels {
            states: broadcast::Sender::new(STATES_KEPT),
            ticks: broadcast::Sender::new(TICKS_KEPT),
        });
        Ok(Joined {
            states: channels.states.subscribe(),
            ticks: channels.ticks.subscribe(),
            cursor,
        })
    }

    async fn follow_log(&self) {
        let mut news = self.signals.log();
        let mut backoff = FIRST_BACKOFF;
        let mut swept = Instant::now();
        loop {
            if swept.elapsed() >= SWEEP {
                self.sweep();
                swept = Instant::now();
            }
            // Marked as seen before the log is read: what is committed in between wakes again.
            news.borrow_and_update();
            let at_end = match self.advance().await {
                Ok(at_end) => {
                    backoff = FIRST_BACKOFF;
                    at_end
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), ?backoff, "the log can't be followed");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                    continue;
                }
            };
            if at_end {
                // Nobody left who could signal is no error: polling is enough.
                let _ = tokio::time::timeout(self.poll, news.changed()).await;
            }
        }
    }

    /// Reads on; tells whether that was the log's end.
    async fn advance(&self) -> Result<bool, LogError> {
        if *self.phase.borrow() == Phase::Starting {
            // Nobody has joined yet: what happened before now is read from the log by whoever wants it.
            let head = self.log.head().await?;
            self.hub().cursor = head;
            self.phase.send_replace(Phase::Following);
        }
        let cursor = self.hub().cursor;
        let page = self
            .log
            .events_after(cursor, &EventFilter::default(), PAGE)
            .await?;
        let at_end = page.at_end;
        self.hand_out(page);
        Ok(at_end)
    }

    fn hand_out(&self, page: EventPage) {
        let mut hub = self.hub();
        for event in page.events {
            if ends_progress(&event.event)
                && let StreamId::Photo(photo) = event.stream
            {
                // Before its watchers hear that it has arrived: no tick takes them back behind that.
                self.board.forget(photo);
            }
            if let Some(channels) = hub.owners.get(&event.owner) {
                // The last watcher may have just left.
                let _ = channels.states.send(Arc::new(event));
            }
        }
        hub.cursor = page.scanned_to;
    }

    /// Forgets users whose last watcher has left.
    fn sweep(&self) {
        let mut hub = self.hub();
        hub.owners
            .retain(|_, channels| channels.states.receiver_count() > 0);
        let channels = hub.owners.values();
        let watchers: usize = channels.map(|channels| channels.states.receiver_count()).sum();
        drop(hub);
        #[expect(clippy::cast_precision_loss, reason = "nobody counts watchers beyond 2^52")]
        gauge!("live_watchers").set(watchers as f64);
    }

    async fn follow_progress(&self) {
        let mut ticks = self.board.subscribe();
        loop {
            match ticks.recv().await {
                Ok(tick) => {
                    if let Some(channels) = self.hub().owners.get(&tick.owner) {
                        let _ = channels.ticks.send(tick);
                    }
                }
                // Ticks may be missing.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what was told of an upload's progress means nothing any more: it has arrived, came to nothing, or begins
/// anew.
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
        | PhotoEvent::PhotoUntagged { .. } => false,
    }
}
