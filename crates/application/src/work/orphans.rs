use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{RwLock, RwLockWriteGuard},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    backoff::{INITIAL_POLL_BACKOFF, MAX_POLL_BACKOFF, MIN_POLL_INTERVAL},
    executor::Executor,
    pool::WorkerPool,
};
use crate::{
    error_chain::chain,
    ports::{Unavailable, WorkKind, WorkQueue},
    settings::WorkSettings,
};

/// Executes orphaned work, one item at a time and beside no other work: if the process crashes again, this item alone
/// is counted for it.
pub(super) struct Orphans {
    pub(super) queue: Arc<dyn WorkQueue>,
    pub(super) executor: Arc<Executor>,
    pub(super) settings: WorkSettings,
}

/// Longest time that orphaned work waits for a moment without other work. After it no other work is claimed until the
/// orphaned item has ended, so that neither starves the other.
const MAX_WAIT_FOR_IDLENESS: Duration = Duration::from_secs(10);

impl Orphans {
    /// Executes orphaned work until `shutdown`. `other_work` is held for reading by all other work.
    pub(super) async fn run(&self, other_work: &RwLock<()>, shutdown: &CancellationToken) {
        let mut backoff = INITIAL_POLL_BACKOFF;
        // End of the last orphaned item, or the start of the runner.
        let mut since = Instant::now();
        while !shutdown.is_cancelled() {
            let wait = match self.poll(other_work, since, shutdown).await {
                Ok(Poll::Executed) => {
                    since = Instant::now();
                    backoff = INITIAL_POLL_BACKOFF;
                    continue;
                }
                Ok(Poll::Wait(wait)) => {
                    backoff = INITIAL_POLL_BACKOFF;
                    wait
                }
                Err(why) => {
                    tracing::warn!(error = %chain(&why), ?backoff, "orphaned work could not be claimed");
                    let wait = backoff;
                    backoff = (backoff * 2).min(MAX_POLL_BACKOFF);
                    wait
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Executes one orphaned item if one is due.
    async fn poll(
        &self,
        other_work: &RwLock<()>,
        since: Instant,
        shutdown: &CancellationToken,
    ) -> Result<Poll, Unavailable> {
        let due = self.queue.orphan_due_in(&WorkKind::ALL).await?;
        let wait = due.map_or(self.settings.poll, |due| due.min(self.settings.poll));
        if due.is_none_or(|due| !due.is_zero()) {
            return Ok(Poll::Wait(wait.max(MIN_POLL_INTERVAL)));
        }
        let Some(alone) = until_alone(other_work, since + MAX_WAIT_FOR_IDLENESS, shutdown).await else {
            return Ok(Poll::Wait(Duration::ZERO));
        };
        let claim = self
            .queue
            .claim_orphan(&WorkKind::ALL, self.settings.lease)
            .await?;
        let Some(claim) = claim else {
            return Ok(Poll::Wait(MIN_POLL_INTERVAL));
        };
        tracing::warn!(
            photoId = %claim.token.photo, kind = %claim.token.kind, claims = claim.claims,
            "the last worker on this photo did not release its claim: the work is repeated alone"
        );
        let mut pool = WorkerPool::new(Arc::clone(&self.executor));
        pool.spawn(claim, None);
        pool.until_empty(shutdown).await;
        pool.drain(self.settings.drain).await;
        drop(alone);
        Ok(Poll::Executed)
    }
}

enum Poll {
    /// One item was executed; more may be due.
    Executed,
    /// Nothing can be done for this time.
    Wait(Duration),
}

/// Waits until no other work is executed; `None` on shutdown. From `deadline` on other work waits for the lock.
async fn until_alone<'a>(
    other_work: &'a RwLock<()>,
    deadline: Instant,
    shutdown: &CancellationToken,
) -> Option<RwLockWriteGuard<'a, ()>> {
    let alone = async {
        while Instant::now() < deadline {
            if let Ok(alone) = other_work.try_write() {
                return alone;
            }
            tokio::time::sleep(MIN_POLL_INTERVAL).await;
        }
        other_work.write().await
    };
    tokio::select! {
        alone = alone => Some(alone),
        () = shutdown.cancelled() => None,
    }
}
