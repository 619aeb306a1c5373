use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use rapidphoto_domain::photo::{PhotoCommand, PhotoStatus};

use super::{
    SignsOfLife,
    clean::Clean,
    download::MemoryBudget,
    failure::WorkError,
    health::{StorageHealth, WatchedStore},
    look::Look,
    pause,
    process::Process,
    settle::{Decision, settle},
};
use crate::{
    Outside, Record,
    error_chain::chain,
    ports::{Claim, ObjectStore, WorkKind, WorkQueue},
    settings::Settings,
};

/// Does one piece of claimed work, whatever comes of it: holds the claim while it lasts, and hands it back when it
/// could not be done.
pub(super) struct Performer {
    record: Record,
    queue: Arc<dyn WorkQueue>,
    health: Arc<StorageHealth>,
    settings: Arc<Settings>,
    look: Look,
    process: Process,
    clean: Clean,
}

/// No piece of work takes this long unless something hangs.
const LONGEST_WORK: Duration = Duration::from_mins(15);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

impl Performer {
    pub(super) fn new(
        outside: &Outside,
        settings: Arc<Settings>,
        life: Arc<dyn SignsOfLife>,
        health: Arc<StorageHealth>,
    ) -> Self {
        let record = outside.record();
        let objects: Arc<dyn ObjectStore> = Arc::new(WatchedStore::new(
            Arc::clone(&outside.objects),
            Arc::clone(&health),
        ));
        Self {
            look: Look {
                record: record.clone(),
                objects: Arc::clone(&objects),
                life,
                settings: Arc::clone(&settings),
            },
            process: Process {
                record: record.clone(),
                objects: Arc::clone(&objects),
                inspector: Arc::clone(&outside.inspector),
                budget: MemoryBudget::new(settings.work.download_budget_bytes),
                settings: Arc::clone(&settings),
            },
            clean: Clean {
                record: record.clone(),
                queue: Arc::clone(&outside.work),
                objects,
                settings: Arc::clone(&settings),
            },
            record,
            queue: Arc::clone(&outside.work),
            health,
            settings,
        }
    }

    /// Does the work. Every way in which it can end is seen to here.
    #[tracing::instrument(
        name = "work", skip_all,
        fields(photo = %claim.token.photo, kind = %claim.token.kind, attempts = claim.attempts, claims = claim.claims)
    )]
    pub(super) async fn perform(&self, claim: &Claim) {
        let Err(error) = self.attempt(claim).await else {
            return;
        };
        let now = self.record.clock.now();
        match error {
            WorkError::Lost => {
                tracing::debug!("the claim was taken away; what was done counts for nothing");
                if claim.token.kind == WorkKind::Process {
                    self.process.tidy_up(claim).await;
                }
            }
            WorkError::Stopping => self.hand_back(claim).await,
            WorkError::Storage(why) => {
                let pause = self.health.pause();
                tracing::warn!(error = %chain(&why), ?pause, "object storage did not answer");
                let pause = pause + pause::part_of(pause / 2, &*self.record.ids);
                self.give_back(
                    claim,
                    Decision::hand_back(
                        claim,
                        pause::after(now, pause),
                        claim.attempts,
                        claim.claims.saturating_sub(1),
                    ),
                )
                .await;
            }
            WorkError::Record(why) => {
                tracing::warn!(error = %chain(&why), "the record did not answer");
                self.give_back(
                    claim,
                    Decision::hand_back(
                        claim,
                        pause::after(now, self.settings.work.retry_pause),
                        claim.attempts,
                        claim.claims.saturating_sub(1),
                    ),
                )
                .await;
            }
            WorkError::Attempt(why) => {
                tracing::warn!(error = %chain(&*why), "an attempt broke");
                self.count_attempt(claim).await;
            }
        }
    }

    /// Gives the claim back as if it had never been made: due at once, for whoever is there.
    pub(super) async fn hand_back(&self, claim: &Claim) {
        let now = self.record.clock.now();
        let claims = claim.claims.saturating_sub(1);
        self.give_back(claim, Decision::hand_back(claim, now, claim.attempts, claims))
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
            done = work => done.unwrap_or_else(|_| Err(WorkError::attempt("the work panicked"))),
            () = self.keep(claim) => Err(WorkError::Lost),
            () = tokio::time::sleep(LONGEST_WORK) => Err(WorkError::attempt("the work hangs")),
        }
    }

    /// Renews the lease for as long as this is polled; ends when the claim is lost.
    async fn keep(&self, claim: &Claim) {
        let lease = self.settings.work.lease;
        loop {
            tokio::time::sleep(lease / 3).await;
            match self.queue.renew(claim.token, lease).await {
                Ok(true) => {}
                Ok(false) => return,
                // While the record is away nobody else can claim either; a commit without the claim is refused.
                Err(why) => tracing::warn!(error = %chain(&why), "a lease could not be renewed"),
            }
        }
    }

    /// One more attempt broke: the last one ends the photo, its bytes untouched.
    async fn count_attempt(&self, claim: &Claim) {
        let settings = &self.settings.work;
        let attempts = claim.attempts.saturating_add(1);
        let pause = pause::doubling(settings.retry_pause, attempts, &*self.record.ids);
        let settled = settle(&self.record, settings, claim, |photo, now| {
            let due = pause::after(now, pause);
            if claim.token.kind == WorkKind::Clean {
                // Cleaning is never given up, and its attempts count something else.
                let due = pause::after(now, pause::LONGEST_PAUSE);
                return Ok(Decision::postpone(claim, due, claim.attempts));
            }
            let ends = matches!(photo.status(), PhotoStatus::Verifying | PhotoStatus::Processing);
            if ends && !photo.deleted && attempts >= settings.max_attempts {
                return Ok(Decision::finish(claim).with(photo.decide(PhotoCommand::FailProcessing)?));
            }
            Ok(Decision::hand_back(claim, due, attempts, claim.claims))
        })
        .await;
        match settled {
            Ok(()) | Err(WorkError::Lost) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "an attempt could not be counted");
                self.hand_back(claim).await;
            }
        }
    }

    /// Gives a claim back. An outage of the record must not be counted against the photo, so this is tried for as long
    /// as the lease would have held.
    async fn give_back(&self, claim: &Claim, decision: Decision) {
        let mut pause = FIRST_RETRY;
        let mut left = self.settings.work.lease;
        loop {
            let settled = settle(&self.record, &self.settings.work, claim, |_, _| {
                Ok(decision.clone())
            })
            .await;
            match settled {
                Ok(()) | Err(WorkError::Lost) => return,
                Err(error) if left < pause => {
                    tracing::warn!(error = %chain(&error), "a claim could not be given back; its lease runs out");
                    return;
                }
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            left = left.saturating_sub(pause);
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }
}
