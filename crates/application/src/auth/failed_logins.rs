use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, values::Email};

/// Rate limit on failed logins, which slows down password guessing. Failures are kept in memory for one minute.
///
/// Failures are counted per account and client address, so that attempts from another address can't lock the owner out.
/// An attempt is counted before the password is verified, so that concurrent guesses are limited like sequential ones.
#[derive(Debug)]
pub struct FailedLogins {
    allowed: usize,
    attempts: Mutex<HashMap<Source, Attempts>>,
}

/// Account and client address of an attempt.
type Source = (Email, Option<IpAddr>);

#[derive(Debug, Default)]
struct Attempts {
    /// Start times of the failed attempts in the last minute.
    failed: VecDeque<Timestamp>,
    /// Number of attempts without a result yet; each of them may fail.
    pending: usize,
}

const WINDOW: Duration = Duration::from_mins(1);
/// Suggested delay when pending attempts exhaust the limit.
const PENDING_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Number of account and address pairs from which on those without recent failures are removed.
const SWEEP_THRESHOLD: usize = 10_000;

impl FailedLogins {
    /// Creates a limit of `allowed` failures per minute, at least 1.
    pub fn new(allowed: usize) -> Self {
        Self {
            allowed: allowed.max(1),
            attempts: Mutex::default(),
        }
    }

    /// Starts an attempt. If the limit is reached, returns the time until the next attempt is allowed.
    pub(super) fn try_begin(
        &self,
        email: Email,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let mut by_source = self.attempts();
        if by_source.len() >= SWEEP_THRESHOLD {
            by_source.retain(|_, attempts| attempts.are_recent(now));
        }
        let source = (email, address);
        let attempts = by_source.entry(source.clone()).or_default();
        attempts.failed.retain(|at| *at + WINDOW > now);
        if attempts.failed.len() + attempts.pending >= self.allowed {
            let oldest = attempts.failed.front();
            let oldest = oldest.filter(|_| attempts.failed.len() >= self.allowed);
            let remaining = oldest.and_then(|oldest| (*oldest + WINDOW - now).to_std().ok());
            return Err(remaining.unwrap_or(PENDING_RETRY_DELAY));
        }
        attempts.pending += 1;
        drop(by_source);
        Ok(Attempt {
            logins: self,
            source,
            started_at: now,
            outcome: Outcome::Failed,
        })
    }

    fn end(&self, attempt: &Attempt<'_>) {
        let mut by_source = self.attempts();
        let Some(attempts) = by_source.get_mut(&attempt.source) else {
            return;
        };
        attempts.pending = attempts.pending.saturating_sub(1);
        match attempt.outcome {
            Outcome::Failed => attempts.failed.push_back(attempt.started_at),
            Outcome::Succeeded => attempts.failed.clear(),
            Outcome::Unknown => {}
        }
        if attempts.failed.is_empty() && attempts.pending == 0 {
            by_source.remove(&attempt.source);
        }
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<Source, Attempts>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    fn are_recent(&self, now: Timestamp) -> bool {
        self.pending > 0 || self.failed.iter().any(|at| *at + WINDOW > now)
    }
}

/// Pending login attempt. It counts as failed when it is dropped without another outcome.
#[must_use]
pub(super) struct Attempt<'a> {
    logins: &'a FailedLogins,
    source: Source,
    started_at: Timestamp,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failed,
    Succeeded,
    Unknown,
}

impl Attempt<'_> {
    /// The password was correct. Clears earlier failures, which were probably typing errors of the owner.
    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// The password could not be verified. The attempt does not count as failed.
    pub(super) fn not_verified(mut self) {
        self.outcome = Outcome::Unknown;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.logins.end(self);
    }
}
