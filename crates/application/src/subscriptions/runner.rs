use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ReactError, Reactor};
use crate::{
    error_chain::chain,
    ports::{
        Advance, Clock, Commit, Cursor, EventLog, EventMetadata, Journal, Ports, SubscriptionLease,
        Subscriptions,
    },
    signals::{LogEnd, LogWait, Signals},
};

/// Runner of one subscription. Any number of processes may run it: one of them holds the lease, and another takes over
/// within seconds after it stops.
pub struct SubscriptionRunner {
    reactor: Arc<dyn Reactor>,
    subscriptions: Arc<dyn Subscriptions>,
    log: Arc<dyn EventLog>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    signals: Signals,
    poll: Duration,
}

/// Validity of a lease, and longest wait of the next runner after a crash.
const LEASE: Duration = Duration::from_secs(10);
const RENEWAL_INTERVAL: Duration = Duration::from_secs(3);
/// Events per page, which bounds the transactions of a reaction.
const PAGE_SIZE: usize = 500;
/// Longest time between two writes of the position.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(5);
const INITIAL_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// State of a run that holds the lease.
struct Run {
    /// Lease, with the stored position.
    held: SubscriptionLease,
    /// Position up to which the log was read. Events between the stored position and this one have been handled.
    read_to: Cursor,
    renew_at: Instant,
    checkpoint_at: Instant,
}

impl SubscriptionRunner {
    /// Creates a runner that reads the log when `signals` report a commit, and at least once per `poll`.
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

    /// Runs until `shutdown`, then releases the lease.
    ///
    /// Returns only after `shutdown`; errors are logged and retried.
    pub async fn run(&self, shutdown: CancellationToken) {
        let name = self.reactor.name();
        let mut backoff = INITIAL_BACKOFF;
        while !shutdown.is_cancelled() {
            let pause = match self.subscriptions.acquire(name, LEASE).await {
                Ok(Some(lease)) => match self.run_with_lease(lease, &shutdown).await {
                    Ok(()) => {
                        backoff = INITIAL_BACKOFF;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(
                            subscription = name, error = %chain(&error), ?backoff,
                            "a subscription failed; it is retried"
                        );
                        let pause = backoff;
                        backoff = (backoff * 2).min(MAX_BACKOFF);
                        pause
                    }
                },
                Ok(None) => LEASE / 4,
                Err(error) => {
                    tracing::warn!(
                        subscription = name, error = %chain(&error),
                        "the lease of a subscription can't be acquired"
                    );
                    let pause = backoff;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                    pause
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reacts to all events of the log. Returns false if another runner holds the lease.
    ///
    /// # Errors
    /// [`ReactError`]; completed reactions stay committed.
    pub async fn catch_up(&self) -> Result<bool, ReactError> {
        let acquired = self.subscriptions.acquire(self.reactor.name(), LEASE).await?;
        let Some(lease) = acquired else {
            return Ok(false);
        };
        let mut run = Run::begin(lease);
        let caught_up = async {
            while self.step(&mut run).await? == LogEnd::More {}
            self.write_checkpoint(&mut run).await
        }
        .await;
        self.subscriptions.release(&run.held).await?;
        caught_up.map(|()| true)
    }

    async fn run_with_lease(
        &self,
        lease: SubscriptionLease,
        shutdown: &CancellationToken,
    ) -> Result<(), ReactError> {
        let mut run = Run::begin(lease);
        let followed = self.follow(&mut run, shutdown).await;
        let ended = match followed {
            Ok(()) => self.write_checkpoint(&mut run).await,
            error => error,
        };
        // Saves the next runner the wait for the lease to expire; on an error it waits.
        let _ = self.subscriptions.release(&run.held).await;
        match ended {
            Err(ReactError::LeaseLost) => {
                tracing::info!(
                    subscription = run.held.name,
                    "another runner has acquired the subscription"
                );
                Ok(())
            }
            other => other,
        }
    }

    async fn follow(&self, run: &mut Run, shutdown: &CancellationToken) -> Result<(), ReactError> {
        let mut wait = LogWait::new(&self.signals, self.poll);
        while !shutdown.is_cancelled() {
            wait.before_read();
            let end = self.step(run).await?;
            if run.checkpoint_at <= Instant::now() {
                self.write_checkpoint(run).await?;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = wait.after_page(end, Some(run.renew_at)) => {}
            }
        }
        Ok(())
    }

    /// Reads a page of events and reacts to it.
    async fn step(&self, run: &mut Run) -> Result<LogEnd, ReactError> {
        self.renew(run).await?;
        let filter = self.reactor.filter();
        let page = self.log.events_after(run.read_to, &filter, PAGE_SIZE).await?;
        if !page.events.is_empty() {
            let advance = run.advance(page.scanned_to);
            let reaction = AssertUnwindSafe(self.reactor.react(&page.events, advance)).catch_unwind();
            let reaction = self.renew_beside(reaction, run).await?;
            let advanced = reaction.unwrap_or(Err(ReactError::Panicked))?;
            // Otherwise the position is written periodically: a repeated reaction is harmless, a write per event is
            // expensive.
            if advanced {
                run.held.cursor = page.scanned_to;
                run.checkpoint_at = Instant::now() + CHECKPOINT_INTERVAL;
            }
        }
        run.read_to = page.scanned_to;
        Ok(LogEnd::of(&page))
    }

    /// Renews the lease while a reaction is running, which may take longer than the lease. The reaction is dropped if the
    /// lease is lost.
    async fn renew_beside<T>(
        &self,
        reaction: impl Future<Output = T> + Send,
        run: &mut Run,
    ) -> Result<T, ReactError> {
        let mut reaction = pin!(reaction);
        loop {
            tokio::select! {
                biased;
                result = &mut reaction => return Ok(result),
                () = tokio::time::sleep_until(run.renew_at) => self.renew(run).await?,
            }
        }
    }

    async fn renew(&self, run: &mut Run) -> Result<(), ReactError> {
        if Instant::now() < run.renew_at {
            return Ok(());
        }
        if !self.subscriptions.renew(&run.held, LEASE).await? {
            return Err(ReactError::LeaseLost);
        }
        run.renew_at = Instant::now() + RENEWAL_INTERVAL;
        Ok(())
    }

    /// Stores the position up to which the log was read.
    async fn write_checkpoint(&self, run: &mut Run) -> Result<(), ReactError> {
        run.checkpoint_at = Instant::now() + CHECKPOINT_INTERVAL;
        if run.read_to == run.held.cursor {
            return Ok(());
        }
        let mut commit = Commit::new(self.clock.now(), EventMetadata::default());
        commit.checkpoint = Some(run.advance(run.read_to));
        self.journal.commit(commit).await?;
        run.held.cursor = run.read_to;
        Ok(())
    }
}

impl Run {
    fn begin(held: SubscriptionLease) -> Self {
        Self {
            read_to: held.cursor,
            held,
            renew_at: Instant::now() + RENEWAL_INTERVAL,
            checkpoint_at: Instant::now() + CHECKPOINT_INTERVAL,
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
