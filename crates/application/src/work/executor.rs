use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use rapidphoto_domain::photo::{PhotoCommand, PhotoStatus};

use super::{
    backoff,
    clean::Clean,
    download::MemoryBudget,
    failure::WorkError,
    health::{MonitoredStore, StorageHealth},
    look::Look,
    outcome::{Decision, commit_outcome},
    process::Process,
};
use crate::{
    error_chain::chain,
    ports::{Claim, ObjectStore, Ports, WorkKind, WorkQueue, WritePorts},
    settings::Settings,
};

/// Executes one claimed work item: renews its lease meanwhile, and releases or retries the item if it fails.
pub(super) struct Executor {
    ports: WritePorts,
    queue: Arc<dyn WorkQueue>,
    health: Arc<StorageHealth>,
    settings: Arc<Settings>,
    look: Look,
    process: Process,
    clean: Clean,
}

/// Longest execution of a work item; one that takes longer is assumed to hang.
const EXECUTION_TIMEOUT: Duration = Duration::from_mins(15);
const INITIAL_RETRY_DELAY: Duration = Duration::from_millis(200);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

impl Executor {
    pub(super) fn new(ports: &Ports, settings: Arc<Settings>, health: Arc<StorageHealth>) -> Self {
        let write_ports = ports.write_ports();
        let objects: Arc<dyn ObjectStore> = Arc::new(MonitoredStore::new(
            Arc::clone(&ports.objects),
            Arc::clone(&health),
        ));
        Self {
            look: Look {
                ports: write_ports.clone(),
                objects: Arc::clone(&objects),
                activity: Arc::clone(&ports.database.activity),
                settings: Arc::clone(&settings),
            },
            process: Process {
                ports: write_ports.clone(),
                objects: Arc::clone(&objects),
                inspector: Arc::clone(&ports.inspector),
                budget: MemoryBudget::new(settings.work.download_budget_bytes),
                settings: Arc::clone(&settings),
            },
            clean: Clean {
                ports: write_ports.clone(),
                queue: Arc::clone(&ports.database.work),
                objects,
                settings: Arc::clone(&settings),
            },
            ports: write_ports,
            queue: Arc::clone(&ports.database.work),
            health,
            settings,
        }
    }

    /// Executes the work item and handles every outcome.
    #[tracing::instrument(
        name = "work", skip_all,
        fields(photo = %claim.token.photo, kind = %claim.token.kind, attempts = claim.attempts, claims = claim.claims)
    )]
    pub(super) async fn execute(&self, claim: &Claim) {
        let Err(error) = self.attempt(claim).await else {
            return;
        };
        let now = self.ports.clock.now();
        match error {
            WorkError::Lost => {
                tracing::debug!("the claim was lost; the result is discarded");
                if claim.token.kind == WorkKind::Process {
                    self.process.schedule_cleanup(claim).await;
                }
            }
            WorkError::Stopping => self.release(claim).await,
            WorkError::Storage(why) => {
                let delay = self.health.retry_delay();
                tracing::warn!(
                    error = %chain(&why), pause = ?delay,
                    "object storage is unavailable; the work is retried later"
                );
                let delay = delay + backoff::jitter(delay / 2, &*self.ports.ids);
                self.release_with(
                    claim,
                    Decision::hand_back(
                        claim,
                        backoff::after(now, delay),
                        claim.attempts,
                        claim.claims.saturating_sub(1),
                    ),
                )
                .await;
            }
            why @ (WorkError::Database(_) | WorkError::Contended(_)) => {
                tracing::warn!(error = %chain(&why), "the work can't be committed now; it is retried later");
                self.release_with(
                    claim,
                    Decision::hand_back(
                        claim,
                        backoff::after(now, self.settings.work.retry_pause),
                        claim.attempts,
                        claim.claims.saturating_sub(1),
                    ),
                )
                .await;
            }
            WorkError::Attempt(why) => {
                tracing::warn!(error = %chain(&*why), "an attempt failed");
                self.count_failed_attempt(claim).await;
            }
        }
    }

    /// Releases the claim as if it had never been made: the work is due at once, for any worker.
    pub(super) async fn release(&self, claim: &Claim) {
        let now = self.ports.clock.now();
        let claims = claim.claims.saturating_sub(1);
        self.release_with(claim, Decision::hand_back(claim, now, claim.attempts, claims))
            .await;
    }

    async fn attempt(&self, claim: &Claim) -> Result<(), WorkError> {
        let work = async {
            match claim.token.kind {
                WorkKind::Look => self.look.run(claim).await,
                WorkKind::Process => self.process.run(claim).await,
                WorkKind::Clean => self.clean.run(claim).await,
            }
        };
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::select! {
            result = work => result.unwrap_or_else(|_| Err(WorkError::attempt("the work panicked"))),
            () = self.renew_lease(claim) => Err(WorkError::Lost),
            () = tokio::time::sleep(EXECUTION_TIMEOUT) => Err(WorkError::attempt("the work timed out")),
        }
    }

    /// Renews the lease periodically; returns when the claim is lost.
    async fn renew_lease(&self, claim: &Claim) {
        let lease = self.settings.work.lease;
        loop {
            tokio::time::sleep(lease / 3).await;
            match self.queue.renew(claim.token, lease).await {
                Ok(true) => {}
                Ok(false) => return,
                // While the database is unavailable no other worker can claim the work either, and a commit without a
                // valid claim is rejected.
                Err(why) => tracing::warn!(error = %chain(&why), "a lease could not be renewed"),
            }
        }
    }

    /// Counts a failed attempt. After the last one the photo fails; its object is kept.
    async fn count_failed_attempt(&self, claim: &Claim) {
        let settings = &self.settings.work;
        let attempts = claim.attempts.saturating_add(1);
        let delay = backoff::exponential(settings.retry_pause, attempts, &*self.ports.ids);
        let settled = commit_outcome(&self.ports, settings, claim, |photo, now| {
            let due = backoff::after(now, delay);
            if claim.token.kind == WorkKind::Clean {
                // Cleaning is retried without a limit; its attempts count passes, not errors.
                let due = backoff::after(now, backoff::MAX_BACKOFF);
                return Ok(Decision::postpone(claim, due, claim.attempts));
            }
            let can_fail = matches!(photo.status(), PhotoStatus::Verifying | PhotoStatus::Processing);
            if can_fail && !photo.deleted && attempts >= settings.max_attempts {
                return Ok(Decision::finish(claim).with_events(photo.decide(PhotoCommand::FailProcessing)?));
            }
            Ok(Decision::hand_back(claim, due, attempts, claim.claims))
        })
        .await;
        match settled {
            Ok(()) | Err(WorkError::Lost) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a failed attempt could not be counted");
                self.release(claim).await;
            }
        }
    }

    /// Releases a claim by committing `decision`. An outage of the database must not count against the photo, so this
    /// is retried for the duration of a lease.
    async fn release_with(&self, claim: &Claim, decision: Decision) {
        let mut delay = INITIAL_RETRY_DELAY;
        let mut time_left = self.settings.work.lease;
        loop {
            let settled = commit_outcome(&self.ports, &self.settings.work, claim, |_, _| {
                Ok(decision.clone())
            })
            .await;
            match settled {
                Ok(()) | Err(WorkError::Lost) => return,
                Err(error) if time_left < delay => {
                    tracing::warn!(
                        error = %chain(&error),
                        "a claim could not be released; it ends when its lease expires"
                    );
                    return;
                }
                Err(_) => {}
            }
            tokio::time::sleep(delay).await;
            time_left = time_left.saturating_sub(delay);
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }
}
