use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use rapidphoto_domain::photo::{Photo, PhotoCommand, PhotoStatus};
use tracing::{Instrument as _, field};

use super::{
    backoff,
    clean::Clean,
    download::MemoryBudget,
    failure::WorkError,
    health::StorageHealth,
    look::Look,
    monitored_store::MonitoredStore,
    outcome::{Decision, commit_outcome},
    process::Process,
    requests::{Blame, Operation},
};
use crate::{
    error_chain::chain,
    ports::{Claim, Due, ObjectStore, Ports, Unavailable, WorkKind, WorkQueue, WritePorts},
    settings::Settings,
    trace,
};

/// Executes one claimed work item: renews its lease meanwhile, and releases or retries the item if it fails.
pub(super) struct Executor {
    ports: WritePorts,
    queue: Arc<dyn WorkQueue>,
    health: Arc<StorageHealth>,
    objects: Arc<dyn ObjectStore>,
    settings: Arc<Settings>,
    look: Look,
    process: Process,
    clean: Clean,
}

/// Longest execution of a work item; one that takes longer is assumed to hang.
const EXECUTION_TIMEOUT: Duration = Duration::from_mins(15);
/// Delay before work that found no way to inspect photos is retried; each attempt downloads the original.
const INSPECTION_RETRY_DELAY: Duration = Duration::from_secs(15);
/// Delay after the first storage error that concerns one photo only.
const OBJECT_RETRY_DELAY: Duration = Duration::from_mins(1);
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
                multipart: Arc::clone(&ports.multipart),
                photos: Arc::clone(&ports.database.photos),
                activity: Arc::clone(&ports.database.activity),
                settings: Arc::clone(&settings),
            },
            process: Process {
                ports: write_ports.clone(),
                photos: Arc::clone(&ports.database.photos),
                objects: Arc::clone(&objects),
                inspector: Arc::clone(&ports.inspector),
                budget: MemoryBudget::new(settings.work.download_budget_bytes),
                settings: Arc::clone(&settings),
            },
            clean: Clean {
                ports: write_ports.clone(),
                queue: Arc::clone(&ports.database.work),
                objects: Arc::clone(&objects),
                multipart: Arc::clone(&ports.multipart),
                settings: Arc::clone(&settings),
            },
            objects,
            ports: write_ports,
            queue: Arc::clone(&ports.database.work),
            health,
            settings,
        }
    }

    /// Executes the work item and handles every outcome.
    pub(super) async fn execute(&self, claim: &Claim) {
        // First, because the photo says which trace the work belongs to.
        let loaded = self.ports.aggregates.traced_photo(claim.token.photo).await;
        let span = tracing::info_span!(
            "work",
            photoId = %claim.token.photo, userId = %claim.owner, kind = %claim.token.kind,
            attempts = claim.attempts, claims = claim.claims,
            jobId = field::Empty, traceId = field::Empty,
            // Of `process`, in milliseconds, once they are known.
            download_ms = field::Empty, inspect_ms = field::Empty, store_ms = field::Empty,
        );
        let photo = loaded.map(|traced| {
            let traceparent = traced.as_ref().and_then(|traced| traced.traceparent.as_deref());
            trace::follow(&span, traceparent);
            traced.map(|traced| {
                span.record("jobId", field::display(traced.photo.value.job));
                traced.photo.value
            })
        });
        self.execute_loaded(claim, photo).instrument(span).await;
    }

    async fn execute_loaded(&self, claim: &Claim, photo: Result<Option<Photo>, Unavailable>) {
        let outcome = match photo {
            Ok(photo) => self.attempt(claim, photo).await,
            Err(why) => Err(WorkError::Database(why)),
        };
        if !matches!(outcome, Err(WorkError::Storage { .. })) {
            self.health.forget(claim.token.photo);
        }
        let Err(error) = outcome else {
            return;
        };
        match error {
            WorkError::Lost => {
                tracing::debug!("the claim was lost; the result is discarded");
                if claim.token.kind == WorkKind::Process {
                    self.process.schedule_cleanup(claim).await;
                }
            }
            WorkError::Stopping => self.release(claim).await,
            WorkError::Storage { operation, why } => {
                self.handle_storage_error(claim, operation, &why).await;
            }
            why @ (WorkError::Database(_) | WorkError::Contended(_)) => {
                tracing::warn!(error = %chain(&why), "the work can't be committed now; it is retried later");
                self.release_for(claim, self.settings.work.retry_pause).await;
            }
            WorkError::Inspection(why) => {
                tracing::warn!(
                    error = %chain(&why), pause = ?INSPECTION_RETRY_DELAY,
                    "photos can't be inspected now; the work is retried later"
                );
                let jitter = backoff::jitter(INSPECTION_RETRY_DELAY / 2, &*self.ports.ids);
                let due = Due::After(INSPECTION_RETRY_DELAY + jitter);
                self.release_with(claim, Decision::keep_waiting(claim, due)).await;
            }
            WorkError::Attempt(why) => {
                tracing::warn!(error = %chain(&*why), "an attempt failed");
                self.count_failed_attempt(claim, self.settings.work.retry_pause)
                    .await;
            }
        }
    }

    /// An outage of storage, or of one kind of request, is not the photo's fault. A failed attempt is counted only if the
    /// request fails for this photo's objects and no others; otherwise the photo would never reach a final state.
    async fn handle_storage_error(&self, claim: &Claim, operation: Operation, why: &Unavailable) {
        let object_is_at_fault = match self.health.blame(claim.token.photo, operation) {
            Blame::Storage => false,
            Blame::Object => true,
            // No other photo was requested. The bucket itself answers if only this photo's objects fail, and also in an
            // outage of this kind of request alone: then the photo fails after three such hours.
            Blame::Unclear => self.objects.check().await.is_ok(),
        };
        if object_is_at_fault {
            self.health.forget(claim.token.photo);
            tracing::warn!(
                error = %chain(why), %operation,
                "object storage fails for this photo, but not for others: the attempt is counted"
            );
            self.count_failed_attempt(claim, OBJECT_RETRY_DELAY).await;
            return;
        }
        let delay = self.health.retry_delay(operation);
        tracing::warn!(
            error = %chain(why), %operation, pause = ?delay,
            "object storage is unavailable; the work is retried later"
        );
        let delay = delay + backoff::jitter(delay / 2, &*self.ports.ids);
        self.release_for(claim, delay).await;
    }

    /// Releases the claim as if it had never been made: the work is due at once, for any worker.
    pub(super) async fn release(&self, claim: &Claim) {
        self.release_with(claim, Decision::hand_back(claim, Due::Now, claim.attempts))
            .await;
    }

    /// Releases the claim as if it had never been made; the work is due after `delay`.
    async fn release_for(&self, claim: &Claim, delay: Duration) {
        let decision = Decision::hand_back(claim, Due::After(delay), claim.attempts);
        self.release_with(claim, decision).await;
    }

    async fn attempt(&self, claim: &Claim, photo: Option<Photo>) -> Result<(), WorkError> {
        let work = async {
            match claim.token.kind {
                WorkKind::Look => self.look.run(claim, photo).await,
                WorkKind::Process => self.process.run(claim, photo).await,
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

    /// Counts a failed attempt; the next one follows after `first_delay`, doubled for each further one. After the last
    /// one the photo fails; its object is kept.
    async fn count_failed_attempt(&self, claim: &Claim, first_delay: Duration) {
        let settings = &self.settings.work;
        let attempts = claim.attempts.saturating_add(1);
        let exhausted = attempts >= settings.max_attempts;
        let delay = backoff::exponential(first_delay, attempts, &*self.ports.ids);
        let last_activity = match self.look.last_activity(claim).await {
            Ok(last_activity) => last_activity,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a failed attempt could not be counted");
                return self.release(claim).await;
            }
        };
        let settled = commit_outcome(&self.ports, settings, claim, |photo, now| {
            let can_fail = matches!(photo.status(), PhotoStatus::Verifying | PhotoStatus::Processing);
            match claim.token.kind {
                // Cleaning is retried without a limit; its attempts count passes, not errors.
                WorkKind::Clean => Ok(Decision::postpone(
                    claim,
                    Due::After(backoff::MAX_BACKOFF),
                    claim.attempts,
                )),
                _ if exhausted && can_fail && !photo.deleted => {
                    Ok(Decision::finish(claim).with_events(photo.decide(PhotoCommand::FailProcessing)?))
                }
                // An upload whose object can't be looked for must expire nevertheless.
                WorkKind::Look if exhausted => self.look.decide(photo, now, claim, None, last_activity),
                WorkKind::Look | WorkKind::Process => {
                    Ok(Decision::hand_back(claim, Due::After(delay), attempts))
                }
            }
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
