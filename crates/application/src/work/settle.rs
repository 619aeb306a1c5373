use std::time::Duration;

use rapidphoto_domain::{
    Timestamp,
    photo::{InvalidTransition, Photo, PhotoEvent},
};

use super::failure::WorkError;
use crate::{
    decision::record_photo,
    ports::{
        Claim, Commit, CommitError, Details, EventMetadata, Unavailable, Versioned, WorkOrder, WritePorts,
    },
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

/// How often a photo may move under our hands; what concerns this work takes the claim away.
const TRIES: usize = 12;
/// How often a commit is brought again whose outcome is not known.
const REPEATS: u32 = 3;
const FIRST_REPEAT: Duration = Duration::from_millis(50);

/// Commits what a piece of work comes to. `decide` sees the photo as it is at that moment, again and again if it moves;
/// the claim's fate is part of the same commit, so that what is decided without it counts for nothing.
pub(super) async fn settle(
    record: &WritePorts,
    settings: &WorkSettings,
    claim: &Claim,
    decide: impl Fn(&Photo, Timestamp) -> Result<Decision, InvalidTransition> + Send + Sync,
) -> Result<(), WorkError> {
    for _ in 0..TRIES {
        let before = load(record, claim).await?;
        let mut commit = record.commit(EventMetadata::default());
        let decision = match &before {
            Some(before) => decide(&before.value, commit.at).map_err(WorkError::attempt)?,
            None => Decision::finish(claim),
        };
        // The claim comes first: what the events order may take it away.
        commit.work.push(decision.claim);
        commit.details = decision.details;
        if let Some(before) = before
            && !decision.events.is_empty()
        {
            record_photo(&mut commit, &before, decision.events, &*record.ids, settings);
        }
        match write(record, commit).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_)) => {}
            Err(CommitError::StaleClaim { .. }) => return Err(WorkError::Lost),
            Err(other) => return Err(WorkError::Record(other.into_unavailable())),
        }
    }
    Err(WorkError::Record(Unavailable::record(
        "the photo is being changed by others all the time",
    )))
}

/// The photo that a claim is about.
pub(super) async fn load(record: &WritePorts, claim: &Claim) -> Result<Option<Versioned<Photo>>, WorkError> {
    let photo = record.aggregates.photo(claim.token.photo).await;
    photo.map_err(WorkError::Record)
}

/// Writes a commit. One whose outcome is not known is brought again as it is: its events' names make it count once.
async fn write(record: &WritePorts, commit: Commit) -> Result<(), CommitError> {
    let mut pause = FIRST_REPEAT;
    for _ in 0..REPEATS {
        match record.journal.commit(commit.clone()).await {
            Err(CommitError::Unavailable(_)) => tokio::time::sleep(pause).await,
            answer => return answer.map(|_| ()),
        }
        pause *= 4;
    }
    record.journal.commit(commit).await.map(|_| ())
}
