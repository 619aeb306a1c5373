use rapidphoto_domain::{
    Timestamp,
    photo::{InvalidTransition, Photo, PhotoEvent},
};

use super::failure::WorkError;
use crate::{
    commit::{Decided, RetryPolicy, commit_with_retry},
    decision::record_photo,
    ports::{Claim, Details, EventMetadata, Versioned, WorkOrder, WritePorts},
    settings::WorkSettings,
};

/// What a piece of work comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// What becomes of the claim.
    claim: WorkOrder,
    /// What happened to the photo.
    events: Vec<PhotoEvent>,
    /// What was learned of it besides.
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

    /// The work goes on later, with a clean record of claims.
    pub(super) const fn postpone(claim: &Claim, due_at: Timestamp, attempts: u32) -> Self {
        Self::hand_back(claim, due_at, attempts, 0)
    }

    /// The work goes on later, with so many attempts and claims to its record.
    pub(super) const fn hand_back(claim: &Claim, due_at: Timestamp, attempts: u32, claims: u32) -> Self {
        Self {
            claim: WorkOrder::Postpone {
                claim: claim.token,
                due_at,
                attempts,
                claims,
            },
            events: Vec::new(),
            details: Vec::new(),
        }
    }

    pub(super) fn with(mut self, events: Vec<PhotoEvent>) -> Self {
        self.events = events;
        self
    }

    pub(super) fn telling(mut self, details: Details) -> Self {
        self.details.push(details);
        self
    }
}

/// A photo may be changed concurrently; what concerns this work takes the claim away. The commit may be repeated: its
/// claim and event ids make it count once.
const RETRY: RetryPolicy = RetryPolicy {
    repeats: 3,
    ..RetryPolicy::on_conflict("the photo", 12)
};

/// Commits what a piece of work comes to. `decide` sees the photo as it is at that moment, and is called again if the
/// photo is changed concurrently; the claim's fate is part of the same commit, so that what is decided without it counts
/// for nothing.
pub(super) async fn settle(
    record: &WritePorts,
    settings: &WorkSettings,
    claim: &Claim,
    decide: impl Fn(&Photo, Timestamp) -> Result<Decision, InvalidTransition> + Send + Sync,
) -> Result<(), WorkError> {
    let decide = &decide;
    commit_with_retry(&*record.journal, RETRY, || async move {
        let before = load(record, claim).await?;
        let mut commit = record.commit(EventMetadata::default());
        let decision = match &before {
            Some(before) => decide(&before.value, commit.at).map_err(WorkError::attempt)?,
            None => Decision::finish(claim),
        };
        // The claim comes first: what the events order may take it away.
        commit.work.push(decision.claim);
        commit.details = decision.details;
        if let Some(before) = before {
            record_photo(&mut commit, &before, decision.events, &*record.ids, settings);
        }
        Ok(Decided::of(commit, ()))
    })
    .await
}

/// The photo that a claim is about.
pub(super) async fn load(record: &WritePorts, claim: &Claim) -> Result<Option<Versioned<Photo>>, WorkError> {
    let photo = record.aggregates.photo(claim.token.photo).await;
    photo.map_err(WorkError::Record)
}
