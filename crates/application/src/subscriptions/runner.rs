use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{ReactError, Reactor};
use crate::{
    error_chain::chain,
    ports::{
        Advance, Clock, Commit, Cursor, EventLog, EventMetadata, Journal, Ports, SubscriptionLease,
        Subscriptions,
    },
    signals::Signals,
};

/// Runs one subscription, in as many processes as like to: one of them has the lease, and another takes over within
/// seconds.
pub struct SubscriptionRunner {
    reactor: Arc<dyn Reactor>,
    subscriptions: Arc<dyn Subscriptions>,
    log: Arc<dyn EventLog>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    signals: Signals,
    poll: Duration,
}

/// How long a lease holds; who takes over waits no longer than this.
const LEASE: Duration = Duration::from_secs(10);
const RENEW: Duration = Duration::from_secs(3);
/// How many events are read at once: as many as one short transaction may concern.
const PAGE: usize = 500;
/// How long a position may go unwritten.
const UNWRITTEN: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// How far a run has come.
struct Run {
    /// The lease, with the position that the record has.
    held: SubscriptionLease,
    /// How far the log was read; what lies between concerns nobody here.
    read_to: Cursor,
    renew_at: Instant,
    write_at: Instant,
}

impl SubscriptionRunner {
    /// A runner for a reactor. It looks at the log whenever `signals` tell of events, and every `poll`.
    pub fn new(reactor: Arc<dyn Reactor>, ports: &Ports, signals: Signals, poll: Duration) -> Self {
        Self {
            reactor,
            subscriptions: Arc::clone(&ports.database.subscriptions),
            log: Arc::clone(&ports.database.log),
            journal: Arc::clone(&ports.database.journal),
            clock: Arc::clone(&ports.clock),
            signals,
            poll,
        }
    }

    /// Runs until `shutdown`, then gives the subscription back. Nothing but `shutdown` ends it.
    pub async fn run(&self, shutdown: CancellationToken) {
        let name = self.reactor.name();
        let mut backoff = FIRST_BACKOFF;
        while !shutdown.is_cancelled() {
            let pause = match self.subscriptions.acquire(name, LEASE).await {
                Ok(Some(lease)) => match self.hold(lease, &shutdown).await {
                    Ok(()) => {
                        backoff = FIRST_BACKOFF;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(subscription = name, error = %chain(&error), ?backoff, "a subscription halts");
                        let pause = backoff;
                        backoff = (backoff * 2).min(LONGEST_BACKOFF);
                        pause
                    }
                },
                Ok(None) => LEASE / 4,
                Err(error) => {
                    tracing::warn!(subscription = name, error = %chain(&error), "a subscription can't be taken");
                    let pause = backoff;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                    pause
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reacts to everything that is in the log now; false if another runner has the subscription.
    ///
    /// # Errors
    /// [`ReactError`]; what was reacted to stays so.
    pub async fn catch_up(&self) -> Result<bool, ReactError> {
        let acquired = self.subscriptions.acquire(self.reactor.name(), LEASE).await?;
        let Some(lease) = acquired else {
            return Ok(false);
        };
        let mut run = Run::begin(lease);
        let caught_up = async {
            while !self.step(&mut run).await? {}
            self.write_position(&mut run).await
        }
        .await;
        self.subscriptions.release(&run.held).await?;
        caught_up.map(|()| true)
    }

    async fn hold(&self, lease: SubscriptionLease, shutdown: &CancellationToken) -> Result<(), ReactError> {
        let mut run = Run::begin(lease);
        let followed = self.follow(&mut run, shutdown).await;
        let ended = match followed {
            Ok(()) => self.write_position(&mut run).await,
            error => error,
        };
        // Whoever is next need not wait for the lease to run out; if this fails, it waits.
        let _ = self.subscriptions.release(&run.held).await;
        match ended {
            Err(ReactError::LeaseLost) => {
                tracing::info!(subscription = run.held.name, "another runner has taken over");
                Ok(())
            }
            other => other,
        }
    }

    async fn follow(&self, run: &mut Run, shutdown: &CancellationToken) -> Result<(), ReactError> {
        let mut log = self.signals.log();
        while !shutdown.is_cancelled() {
            // Marked as seen before the log is read: what is committed in between wakes again.
            log.borrow_and_update();
            let at_end = self.step(run).await?;
            if run.write_at <= Instant::now() {
                self.write_position(run).await?;
            }
            if at_end {
                self.wait(&mut log, run, shutdown).await;
            }
        }
        Ok(())
    }

    /// Reads a page and reacts to it; tells whether that was the log's end.
    async fn step(&self, run: &mut Run) -> Result<bool, ReactError> {
        self.renew(run).await?;
        let filter = self.reactor.filter();
        let page = self.log.events_after(run.read_to, &filter, PAGE).await?;
        if !page.events.is_empty() {
            let advance = run.advance(page.scanned_to);
            let reaction = AssertUnwindSafe(self.reactor.react(&page.events, advance)).catch_unwind();
            let moved = reaction.await.unwrap_or(Err(ReactError::Panicked))?;
            // Otherwise the position is written now and then: reacting twice is harmless, a write for each event is not.
            if moved {
                run.held.cursor = page.scanned_to;
                run.write_at = Instant::now() + UNWRITTEN;
            }
        }
        run.read_to = page.scanned_to;
        Ok(page.at_end)
    }

    async fn renew(&self, run: &mut Run) -> Result<(), ReactError> {
        if Instant::now() < run.renew_at {
            return Ok(());
        }
        if !self.subscriptions.renew(&run.held, LEASE).await? {
            return Err(ReactError::LeaseLost);
        }
        run.renew_at = Instant::now() + RENEW;
        Ok(())
    }

    /// Writes down how far the log was read.
    async fn write_position(&self, run: &mut Run) -> Result<(), ReactError> {
        run.write_at = Instant::now() + UNWRITTEN;
        if run.read_to == run.held.cursor {
            return Ok(());
        }
        let mut commit = Commit::new(self.clock.now(), EventMetadata::default());
        commit.checkpoint = Some(run.advance(run.read_to));
        self.journal.commit(commit).await?;
        run.held.cursor = run.read_to;
        Ok(())
    }

    async fn wait(&self, log: &mut watch::Receiver<Cursor>, run: &Run, shutdown: &CancellationToken) {
        let signal = async {
            // Without anybody left who could signal, polling is enough.
            if log.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let poll_at = (Instant::now() + self.poll).min(run.renew_at);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = signal => {}
            () = tokio::time::sleep_until(poll_at) => {}
        }
    }
}

impl Run {
    fn begin(held: SubscriptionLease) -> Self {
        Self {
            read_to: held.cursor,
            held,
            renew_at: Instant::now() + RENEW,
            write_at: Instant::now() + UNWRITTEN,
        }
    }

    const fn advance(&self, to: Cursor) -> Advance {
        Advance {
            name: self.held.name,
            from: self.held.cursor,
            to,
            token: self.held.token,
        }
    }
}
