use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{
    sync::{OwnedRwLockReadGuard, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::executor::Executor;
use crate::ports::{Claim, ClaimToken};

/// Time limit for the release of unfinished claims during shutdown.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// Condition for the next poll of the queue.
pub(super) enum Wait {
    /// A work item of the pool ends.
    ForCapacity,
    /// A work item of the pool ends, a wake-up arrives, or this time has passed.
    ForWork(Duration),
    /// This time has passed.
    Fixed(Duration),
}

/// Right to execute work beside other work; shared by the work items of one claim.
pub(super) type Turn = Arc<OwnedRwLockReadGuard<()>>;

/// Work items that are executed concurrently.
pub(super) struct WorkerPool {
    executor: Arc<Executor>,
    tasks: JoinSet<ClaimToken>,
    /// Claims whose work has not ended yet.
    claimed: HashMap<ClaimToken, Claim>,
}

impl WorkerPool {
    pub(super) fn new(executor: Arc<Executor>) -> Self {
        Self {
            executor,
            tasks: JoinSet::new(),
            claimed: HashMap::new(),
        }
    }

    /// Number of work items, including ended ones until the next [`wait`](Self::wait).
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Starts a work item. It keeps `turn` until it ends.
    pub(super) fn spawn(&mut self, claim: Claim, turn: Option<Turn>) {
        self.claimed.insert(claim.token, claim);
        let executor = Arc::clone(&self.executor);
        self.tasks.spawn(async move {
            executor.execute(&claim).await;
            drop(turn);
            claim.token
        });
    }

    /// Waits for the condition or for `shutdown`.
    pub(super) async fn wait(
        &mut self,
        wait: Wait,
        wake_ups: &mut watch::Receiver<u64>,
        shutdown: &CancellationToken,
    ) {
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

    /// Waits until all work has ended, or for `shutdown`.
    pub(super) async fn until_empty(&mut self, shutdown: &CancellationToken) {
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = ended => {}
        }
        self.claimed.clear();
    }

    /// Waits up to `timeout` for running work to finish, then aborts the rest and releases its claims.
    pub(super) async fn drain(mut self, timeout: Duration) {
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
