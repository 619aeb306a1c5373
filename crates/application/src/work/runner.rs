use std::{sync::Arc, time::Duration};

use metrics::gauge;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::{
    backoff::{INITIAL_POLL_BACKOFF, MAX_POLL_BACKOFF, MIN_POLL_INTERVAL},
    executor::Executor,
    health::{Allowance, StorageHealth},
    orphans::Orphans,
    pool::{Turn, Wait, WorkerPool},
};
use crate::{
    error_chain::chain,
    ports::{Ports, Unavailable, WorkKind, WorkQueue},
    settings::{Settings, WorkSettings},
    signals::Signals,
};

/// Claims due work from the queue and executes it in two worker pools.
///
/// `look` and `clean` work has a pool of its own, so that a batch of large photos in `process` does not delay it.
/// Orphaned work, which may have crashed its last worker, is executed while both pools are empty.
pub struct WorkRunner {
    queue: Arc<dyn WorkQueue>,
    executor: Arc<Executor>,
    health: Arc<StorageHealth>,
    signals: Signals,
    settings: WorkSettings,
}

const LOOK_AND_CLEAN: &[WorkKind] = &[WorkKind::Look, WorkKind::Clean];
const PROCESS: &[WorkKind] = &[WorkKind::Process];

/// Interval between two measurements of the queue's depth.
const METRICS_INTERVAL: Duration = Duration::from_secs(15);

impl WorkRunner {
    /// Creates a runner. `signals` wake the pools when work is committed.
    pub fn new(ports: &Ports, settings: &Arc<Settings>, signals: Signals) -> Self {
        let health = Arc::new(StorageHealth::new(Arc::clone(&ports.clock)));
        Self {
            queue: Arc::clone(&ports.database.work),
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
        // Held for reading by each work item of the pools, and for writing by orphaned work.
        let other_work = Arc::new(RwLock::new(()));
        let orphans = Orphans {
            queue: Arc::clone(&self.queue),
            executor: Arc::clone(&self.executor),
            settings: self.settings,
        };
        tokio::join!(
            self.run_pool(LOOK_AND_CLEAN, &other_work, &shutdown),
            self.run_pool(PROCESS, &other_work, &shutdown),
            orphans.run(&other_work, &shutdown),
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
            let mut claim = self
                .queue
                .claim(&WorkKind::ALL, 1, self.settings.lease)
                .await?
                .pop();
            if claim.is_none() {
                claim = self
                    .queue
                    .claim_orphan(&WorkKind::ALL, self.settings.lease)
                    .await?;
            }
            let Some(claim) = claim else {
                return Ok(executed);
            };
            self.executor.execute(&claim).await;
            executed += 1;
        }
    }

    async fn run_pool(
        &self,
        kinds: &'static [WorkKind],
        other_work: &Arc<RwLock<()>>,
        shutdown: &CancellationToken,
    ) {
        let mut pool = WorkerPool::new(Arc::clone(&self.executor));
        let mut wake_ups = self.signals.work();
        let mut backoff = INITIAL_POLL_BACKOFF;
        while !shutdown.is_cancelled() {
            // Marked as seen before the queue is polled: a wake-up in between is not lost.
            wake_ups.borrow_and_update();
            // Waits while orphaned work is executed.
            let turn = tokio::select! {
                turn = Arc::clone(other_work).read_owned() => Arc::new(turn),
                () = shutdown.cancelled() => break,
            };
            let wait = match self.fill(&mut pool, kinds, turn).await {
                Ok(wait) => {
                    backoff = INITIAL_POLL_BACKOFF;
                    wait
                }
                Err(why) => {
                    tracing::warn!(error = %chain(&why), ?backoff, "work could not be claimed");
                    let wait = Wait::Fixed(backoff);
                    backoff = (backoff * 2).min(MAX_POLL_BACKOFF);
                    wait
                }
            };
            pool.wait(wait, &mut wake_ups, shutdown).await;
        }
        pool.drain(self.settings.drain).await;
    }

    /// Claims work up to the pool's capacity and returns the condition of the next poll.
    async fn fill(
        &self,
        pool: &mut WorkerPool,
        kinds: &'static [WorkKind],
        turn: Turn,
    ) -> Result<Wait, Unavailable> {
        let mut capacity = self.settings.concurrency.max(1).saturating_sub(pool.len());
        if capacity == 0 {
            return Ok(Wait::ForCapacity);
        }
        let mut pause = self.settings.poll;
        let (mut allowed, mut probes) = (Vec::new(), Vec::new());
        for kind in kinds {
            match self.health.allowance(*kind) {
                Allowance::All => allowed.push(*kind),
                // While storage is down for a kind of work, one item of that kind tests it.
                Allowance::Probe => probes.push(*kind),
                Allowance::NotBefore(wait) => pause = pause.min(wait),
            }
        }
        let claimable = [probes.as_slice(), allowed.as_slice()].concat();
        if claimable.is_empty() {
            return Ok(Wait::Fixed(pause.max(MIN_POLL_INTERVAL)));
        }
        let probes = probes.iter().map(|kind| (std::slice::from_ref(kind), 1));
        for (kinds, limit) in probes.chain([(allowed.as_slice(), capacity)]) {
            let limit = limit.min(capacity);
            if kinds.is_empty() || limit == 0 {
                continue;
            }
            let claims = self.queue.claim(kinds, limit, self.settings.lease).await?;
            capacity -= claims.len();
            for claim in claims {
                pool.spawn(claim, Some(Arc::clone(&turn)));
            }
        }
        if capacity == 0 {
            return Ok(Wait::ForCapacity);
        }
        let until_due = self.queue.due_in(&claimable).await?.unwrap_or(pause);
        Ok(Wait::ForWork(until_due.min(pause).max(MIN_POLL_INTERVAL)))
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
