use rapidphoto_domain::{
    Timestamp,
    photo::{InvalidTransition, Photo, PhotoEvent},
};

use super::failure::WorkError;
use crate::{
    commit::{Decided, RetryPolicy, commit_with_retry},
    decision::record_photo,
    ports::{Claim, Details, Due, Versioned, WorkOrder, WritePorts},
    settings::WorkSettings,
    trace,
};

/// Outcome of a work item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// Order that finishes or postpones the claimed work item.
    claim: WorkOrder,
    /// Events of the photo.
    events: Vec<PhotoEvent>,
    /// Details of the photo.
    details: Vec<Details>,
}

impl Decision {
    /// The work is done.
    pub(super) const fn finish(claim: &Claim) -> Self {
        Self {
            claim: WorkOrder::Finish { claim: claim.token },
            events: Vec::new(),
            details: Vec::new(),
        }
    }

    /// The work item is postponed, and its number of claims is reset to 0.
    pub(super) const fn postpone(claim: &Claim, due: Due, attempts: u32) -> Self {
        Self::schedule_again(claim, due, attempts, 0, false)
    }

    /// The work item is released: its worker has not crashed, so that this claim does not count.
    pub(super) const fn hand_back(claim: &Claim, due: Due, attempts: u32) -> Self {
        Self::schedule_again(claim, due, attempts, claim.claims.saturating_sub(1), false)
    }

    /// The work item is released and keeps its age, because no such work can be done now.
    pub(super) const fn keep_waiting(claim: &Claim, due: Due) -> Self {
        let claims = claim.claims.saturating_sub(1);
        Self::schedule_again(claim, due, claim.attempts, claims, true)
    }

    const fn schedule_again(
        claim: &Claim,
        due: Due,
        attempts: u32,
        claims: u32,
        keeps_due_time: bool,
    ) -> Self {
        Self {
            claim: WorkOrder::Postpone {
                claim: claim.token,
                due,
                attempts,
                claims,
                keeps_due_time,
            },
            events: Vec::new(),
            details: Vec::new(),
        }
    }

    pub(super) fn with_events(mut self, events: Vec<PhotoEvent>) -> Self {
        self.events = events;
        self
    }

    pub(super) fn with_details(mut self, details: Details) -> Self {
        self.details.push(details);
        self
    }
}

/// Most concurrent changes of the photo also end the claim, so few attempts are needed. The commit may be repeated, as
/// its claim and its event ids make it idempotent.
pub(super) const RETRY: RetryPolicy = RetryPolicy {
    repeats: 3,
    ..RetryPolicy::on_conflict("the photo", 12)
};

/// Commits the outcome of a work item. `decide` receives the current photo, and is called again if the photo is changed
/// concurrently. The same commit ends the claim, so a worker that has lost its claim writes nothing.
pub(super) async fn commit_outcome(
    ports: &WritePorts,
    settings: &WorkSettings,
    claim: &Claim,
    decide: impl Fn(&Photo, Timestamp) -> Result<Decision, InvalidTransition> + Send + Sync,
) -> Result<(), WorkError> {
    let decide = &decide;
    commit_with_retry(&*ports.journal, RETRY, || async move {
        let before = load(ports, claim).await?;
        let mut commit = ports.commit(trace::metadata());
        let decision = match &before {
            Some(before) => decide(&before.value, commit.at).map_err(WorkError::attempt)?,
            None => Decision::finish(claim),
        };
        // First, because the orders of the events may drop or reschedule the same work item, which ends the claim.
        commit.work.push(decision.claim);
        commit.details = decision.details;
        if let Some(before) = before {
            record_photo(&mut commit, &before, decision.events, &*ports.ids, settings);
        }
        Ok(Decided::of(commit, ()))
    })
    .await
}

/// Loads the photo of a claim.
pub(super) async fn load(ports: &WritePorts, claim: &Claim) -> Result<Option<Versioned<Photo>>, WorkError> {
    let photo = ports.aggregates.photo(claim.token.photo).await;
    photo.map_err(WorkError::Database)
}
