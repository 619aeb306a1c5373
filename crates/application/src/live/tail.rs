use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use metrics::gauge;
use rapidphoto_domain::{DomainEvent, PhotoId, StreamId, UserId};
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::sent_progress::ends_progress;
use crate::{
    error_chain::chain,
    ports::{
        Aggregates, Clock, Cursor, EventFilter, EventLog, EventPage, LogError, Ports, ProgressTick,
        ProgressTicks, StoredEvent, Unavailable,
    },
    progress::ProgressBoard,
    signals::{LogEnd, LogWait, Signals},
};

/// Tail of the log and the progress of all processes, followed once for all watchers (live streams) of this process.
pub struct LiveTail {
    log: Arc<dyn EventLog>,
    aggregates: Arc<dyn Aggregates>,
    clock: Arc<dyn Clock>,
    ticks: Arc<dyn ProgressTicks>,
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
    /// The log contains an event that this version of the program can't decode.
    Undecodable,
    Ended,
}

impl Phase {
    /// Reason why no stream can be opened.
    const fn reason(self) -> &'static str {
        match self {
            Self::Starting | Self::Following => "the log is not being followed yet",
            Self::Undecodable => {
                "the log contains an event that this version of the program can't decode; update the program"
            }
            Self::Ended => "the log is no longer followed",
        }
    }
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
            aggregates: Arc::clone(&ports.database.aggregates),
            clock: Arc::clone(&ports.clock),
            ticks: Arc::clone(&ports.ticks),
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
        let phase = *self.phase.borrow();
        if phase != Phase::Following {
            return Err(Unavailable::database(phase.reason()));
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
        let mut wait = LogWait::new(&self.signals, self.poll);
        let mut backoff = INITIAL_BACKOFF;
        let mut last_sweep = Instant::now();
        loop {
            if last_sweep.elapsed() >= SWEEP_INTERVAL {
                self.sweep();
                last_sweep = Instant::now();
            }
            wait.before_read();
            let end = match self.advance().await {
                Ok(end) => {
                    backoff = INITIAL_BACKOFF;
                    end
                }
                Err(error) => {
                    self.end_streams_after(&error);
                    tracing::warn!(
                        error = %chain(&error), ?backoff,
                        "the log can't be read; live streams are delayed"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                    continue;
                }
            };
            wait.after_page(end, None).await;
        }
    }

    /// Ends all streams if an event can't be decoded, as after it was written by a newer version: this process will send
    /// no more events, so that clients must connect to another one.
    fn end_streams_after(&self, error: &LogError) {
        if matches!(error, LogError::Unavailable(_)) {
            return;
        }
        let mut hub = self.hub();
        if self.phase.send_replace(Phase::Undecodable) != Phase::Undecodable {
            tracing::error!(
                error = %chain(error),
                "live streams end: this version of the program can't decode an event; update it"
            );
        }
        hub.channels_by_user.clear();
    }

    /// Checks that events are delivered to streams.
    ///
    /// # Errors
    /// If the tail isn't running, or the log contains an event that this version of the program can't decode.
    pub fn check(&self) -> Result<(), Unavailable> {
        match *self.phase.borrow() {
            Phase::Following => Ok(()),
            phase => Err(Unavailable::database(phase.reason())),
        }
    }

    /// Reads and delivers the next page of the log.
    async fn advance(&self) -> Result<LogEnd, LogError> {
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
        let end = LogEnd::of(&page);
        self.deliver(page);
        self.phase.send_if_modified(|phase| {
            let was_undecodable = *phase == Phase::Undecodable;
            if was_undecodable {
                *phase = Phase::Following;
            }
            was_undecodable
        });
        Ok(end)
    }

    /// Sends the events of a page to the subscribers.
    fn deliver(&self, page: EventPage) {
        let mut hub = self.hub();
        for event in page.events {
            if let (StreamId::Photo(photo), DomainEvent::Photo(change)) = (event.stream, &event.event)
                && ends_progress(change)
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

    /// Merges the ticks of all processes into the board and sends them to the subscribers.
    async fn follow_progress(&self) {
        let mut ticks = self.ticks.subscribe();
        while let Some(tick) = ticks.next().await {
            let is_new = self.board.upload(tick.photo).is_none();
            let merged = self.board.merge(tick, self.clock.now());
            // A late tick must not bring back an upload that has ended. Read after the upload was added: an end from now
            // on removes it.
            if is_new && !self.is_uploading(tick.photo).await {
                self.board.remove(tick.photo);
                continue;
            }
            if let Some(channels) = self.hub().channels_by_user.get(&merged.owner) {
                let _ = channels.ticks.send(merged);
            }
        }
        std::future::pending::<()>().await;
    }

    /// Returns true if a photo awaits its bytes. On an error it is unknown, and the tick is not worth a retry.
    async fn is_uploading(&self, photo: PhotoId) -> bool {
        let photo = self.aggregates.photo(photo).await.ok().flatten();
        photo.is_some_and(|photo| photo.value.status().awaits_upload())
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
