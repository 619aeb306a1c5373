use std::{num::NonZeroU32, sync::Arc, time::Duration};

use rapidphoto_domain::{Timestamp, UserId};

use crate::{
    attempts::AttemptKeys,
    ports::{AttemptBudget, AttemptCounters, AttemptKey, Counts, Outcome, Unavailable},
};

/// Rate of job creations of each user, counted by the counters that all processes of the deployment share. Only requests
/// that create a job count.
#[derive(Clone)]
pub struct JobRate {
    counters: Arc<dyn AttemptCounters>,
    keys: AttemptKeys,
}

/// Place of a request among the jobs of a minute. It stays taken unless it is given back.
#[must_use]
pub struct JobPlace {
    counters: Arc<dyn AttemptCounters>,
    key: AttemptKey,
    taken_at: Timestamp,
}

/// Places of a user after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPlaces {
    /// Places that are left.
    pub remaining: u32,
    /// Time until the first taken place is free again.
    pub reset: Duration,
}

impl JobRate {
    /// The rate on these counters. The secret must be the same in all processes.
    pub fn new(counters: Arc<dyn AttemptCounters>, secret: [u8; 32]) -> Self {
        Self {
            counters,
            keys: AttemptKeys::new(secret),
        }
    }

    /// Takes a place, if the user has one left. Also returns the places after that.
    pub async fn take(
        &self,
        user: UserId,
        per_minute: NonZeroU32,
    ) -> Result<(Option<JobPlace>, JobPlaces), Unavailable> {
        let key = self.keys.of("jobs", &[user.to_string().as_bytes()]);
        let budget = AttemptBudget {
            key,
            allowed: usize::try_from(per_minute.get()).unwrap_or(usize::MAX),
            counts: Counts::All,
        };
        let admission = self.counters.begin(&[budget]).await?;
        let place = admission.began_at.map(|taken_at| JobPlace {
            counters: Arc::clone(&self.counters),
            key,
            taken_at,
        });
        let places = JobPlaces {
            remaining: u32::try_from(admission.remaining).unwrap_or(u32::MAX),
            reset: admission.reset,
        };
        Ok((place, places))
    }
}

impl JobPlace {
    /// Gives the place back: no job was created.
    pub async fn give_back(self) {
        let withdrawn = [(self.key, Outcome::Withdrawn)];
        if let Err(error) = self.counters.settle(self.taken_at, &withdrawn).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the place of a job that was not created stays taken for a minute"
            );
        }
    }
}
