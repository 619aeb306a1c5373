use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::future::join_all;
use metrics::gauge;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    executor::Executor,
    health::{Allowance, StorageHealth},
};
use crate::{
    error_chain::chain,
    ports::{Claim, ClaimToken, Clock, Ports, Unavailable, WorkKind, WorkQueue},
    settings::{Settings, WorkSettings},
    signals::Signals,
};

/// Claims due work from the queue and executes it in two worker pools.
///
/// `look` and `clean` work has a pool of its own, so that a batch of large photos in `process` does not delay it.
pub struct WorkRunner {
    queue: Arc<dyn WorkQueue>,
    clock: Arc<dyn Clock>,
    executor: Arc<Executor>,
    health: Arc<StorageHealth>,
    signals: Signals,
    settings: WorkSettings,
}

const LOOK_AND_CLEAN: &[WorkKind] = &[WorkKind::Look, WorkKind::Clean];
const PROCESS: &[WorkKind] = &[WorkKind::Process];

/// Shortest interval between two polls of the queue.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
const INITIAL_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// Time limit for the release of unfinished claims during shutdown.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval between two measurements of the queue's depth.
const METRICS_INTERVAL: Duration = Duration::from_secs(15);

impl WorkRunner {
    /// Creates a runner. `signals` wake the pools when work is committed.
    pub fn new(ports: &Ports, settings: &Arc<Settings>, signals: Signals) -> Self {
        let health = Arc::new(StorageHealth::new(Arc::clone(&ports.clock)));
        Self {
            queue: Arc::clone(&ports.database.work),
            clock: Arc::clone(&ports.clock),
            executor: Arc::new(Executor::new(ports, Arc::clone(settings), Arc::clone(&health))),
            health,
            signals,
            settings: settings.work,
        }
    }

    /// Executes work until `shutdown`, then claims nothing more: running work may finish within the drain time
    /// ([`WorkSettings::drain`]), and the claims of the rest are released.
    ///
    /// Returns only after `shutdown`; errors are logged and retried.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::join!(
            self.run_pool(LOOK_AND_CLEAN, &shutdown),
            self.run_pool(PROCESS, &shutdown),
            self.report_depth(&shutdown)
        );
    }

    /// Executes all due work, one item after another, and returns the number of items.
    ///
    /// # Errors
    /// [`Unavailable`] if work can't be claimed.
    pub async fn execute_due(&self) -> Result<usize, Unavailable> {
        let mut executed = 0;
        loop {
            let claims = self.queue.claim(&WorkKind::ALL, 1, self.settings.lease).await?;
            if claims.is_empty() {
                return Ok(executed);
            }
            for claim in &claims {
                self.executor.execute(claim).await;
                executed += 1;
            }
        }
    }

    async fn run_pool(&self, kinds: &'static [WorkKind], shutdown: &CancellationToken) {
        let mut pool = WorkerPool {
            kinds,
            executor: Arc::clone(&self.executor),
            tasks: JoinSet::new(),
            claimed: HashMap::new(),
        };
        let mut wake_ups = self.signals.work();
        let mut backoff = INITIAL_BACKOFF;
        while !shutdown.is_cancelled() {
            // Marked as seen before the queue is polled: a wake-up in between is not lost.
            wake_ups.borrow_and_update();
            let wait = match self.fill(&mut pool).await {
                Ok(wait) => {
                    backoff = INITIAL_BACKOFF;
                    wait
                }
                Err(why) => {
                    tracing::warn!(error = %chain(&why), ?backoff, "work could not be claimed");
                    let wait = Wait::Fixed(backoff);
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                    wait
                }
            };
            pool.wait(wait, &mut wake_ups, shutdown).await;
        }
        pool.drain(self.settings.drain).await;
    }

    /// Claims work up to the pool's capacity and returns the condition of the next poll.
    async fn fill(&self, pool: &mut WorkerPool) -> Result<Wait, Unavailable> {
        let capacity = self.settings.concurrency.max(1).saturating_sub(pool.tasks.len());
        if capacity == 0 {
            return Ok(Wait::ForCapacity);
        }
        let limit = match self.health.allowance() {
            Allowance::All => capacity,
            Allowance::Probe => 1,
            Allowance::NotBefore(at) => {
                let pause = (at - self.clock.now()).to_std().unwrap_or_default();
                return Ok(Wait::Fixed(pause.min(self.settings.poll).max(MIN_POLL_INTERVAL)));
            }
        };
        let claims = self.queue.claim(pool.kinds, limit, self.settings.lease).await?;
        let found = claims.len();
        for claim in claims {
            pool.spawn(claim);
        }
        if found == limit {
            // More work may be due.
            return Ok(if found == capacity {
                Wait::ForCapacity
            } else {
                Wait::ForWork(MIN_POLL_INTERVAL)
            });
        }
        let next = self.queue.next_due(pool.kinds).await?;
        let until_due = next.map_or(self.settings.poll, |due| {
            (due - self.clock.now()).to_std().unwrap_or_default()
        });
        Ok(Wait::ForWork(
            until_due.min(self.settings.poll).max(MIN_POLL_INTERVAL),
        ))
    }

    /// Sets the gauge of due work items per kind.
    async fn report_depth(&self, shutdown: &CancellationToken) {
        loop {
            for kind in WorkKind::ALL {
                if let Ok(depth) = self.queue.depth(kind).await {
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "the number of work items is far below 2^52"
                    )]
                    gauge!("work_due", "kind" => kind.as_str()).set(depth as f64);
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(METRICS_INTERVAL) => {}
            }
        }
    }
}

/// Condition for the next poll of the queue.
enum Wait {
    /// A work item of the pool ends.
    ForCapacity,
    /// A work item of the pool ends, a wake-up arrives, or this time has passed.
    ForWork(Duration),
    /// This time has passed.
    Fixed(Duration),
}

/// Work items of certain kinds that are executed concurrently.
struct WorkerPool {
    kinds: &'static [WorkKind],
    executor: Arc<Executor>,
    tasks: JoinSet<ClaimToken>,
    /// Claims whose work has not ended yet.
    claimed: HashMap<ClaimToken, Claim>,
}

impl WorkerPool {
    fn spawn(&mut self, claim: Claim) {
        self.claimed.insert(claim.token, claim);
        let executor = Arc::clone(&self.executor);
        self.tasks.spawn(async move {
            executor.execute(&claim).await;
            claim.token
        });
    }

    async fn wait(&mut self, wait: Wait, wake_ups: &mut watch::Receiver<u64>, shutdown: &CancellationToken) {
        let (wakeable, pause) = match wait {
            Wait::ForCapacity => (false, None),
            Wait::ForWork(pause) => (true, Some(pause)),
            Wait::Fixed(pause) => (false, Some(pause)),
        };
        let wake_up = async {
            // A closed channel is no error: without wake-ups the queue is polled.
            if !wakeable || wake_ups.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let timeout = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        let ends_with_work = !matches!(wait, Wait::Fixed(_));
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = wake_up => {}
            () = timeout => {}
            Some(ended) = self.tasks.join_next(), if ends_with_work => {
                if let Ok(token) = ended {
                    self.claimed.remove(&token);
                }
            }
        }
        while let Some(ended) = self.tasks.try_join_next() {
            if let Ok(token) = ended {
                self.claimed.remove(&token);
            }
        }
    }

    /// Waits up to `timeout` for running work to finish, then aborts the rest and releases its claims.
    async fn drain(mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await {
            if let Ok(token) = ended {
                self.claimed.remove(&token);
            }
        }
        self.tasks.shutdown().await;
        if self.claimed.is_empty() {
            return;
        }
        tracing::info!(
            pieces = self.claimed.len(),
            "releasing the claims of work that did not finish before the shutdown timeout"
        );
        let executor = &self.executor;
        let releases = join_all(self.claimed.values().map(|claim| executor.release(claim)));
        if tokio::time::timeout(RELEASE_TIMEOUT, releases).await.is_err() {
            tracing::warn!("not all claims could be released; the rest end when their leases expire");
        }
    }
}
