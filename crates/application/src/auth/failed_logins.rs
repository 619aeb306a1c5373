use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, values::Email};

/// Remembers failed logins for a minute, so that passwords can't be guessed at speed.
///
/// An account is counted together with the address that tries it: a stranger can't lock its owner out. An attempt takes
/// its place before the password is looked at, so that guesses made all at once are no more than guesses one by one.
#[derive(Debug)]
pub struct FailedLogins {
    allowed: usize,
    suspects: Mutex<HashMap<Suspect, Attempts>>,
}

/// An account, and who tries it.
type Suspect = (Email, Option<IpAddr>);

#[derive(Debug, Default)]
struct Attempts {
    /// When those that failed of late began.
    failed: VecDeque<Timestamp>,
    /// How many are not decided yet; each may come to be a failure.
    under_way: usize,
}

const WINDOW: Duration = Duration::from_mins(1);
/// How long to wait for others that are not decided yet.
const TURN: Duration = Duration::from_secs(1);
/// How many account and address pairs are remembered before silent ones are swept out.
const SWEEP_AT: usize = 10_000;

impl FailedLogins {
    /// So many failures a minute are allowed.
    pub fn new(allowed: usize) -> Self {
        Self {
            allowed: allowed.max(1),
            suspects: Mutex::default(),
        }
    }

    /// Takes a place among the attempts that may fail, or tells how long to wait for one.
    pub(super) fn try_begin(
        &self,
        email: Email,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let mut suspects = self.suspects();
        if suspects.len() >= SWEEP_AT {
            suspects.retain(|_, attempts| attempts.matter(now));
        }
        let suspect = (email, address);
        let attempts = suspects.entry(suspect.clone()).or_default();
        attempts.failed.retain(|at| *at + WINDOW > now);
        if attempts.failed.len() + attempts.under_way >= self.allowed {
            let oldest = attempts.failed.front();
            let oldest = oldest.filter(|_| attempts.failed.len() >= self.allowed);
            let left = oldest.and_then(|oldest| (*oldest + WINDOW - now).to_std().ok());
            return Err(left.unwrap_or(TURN));
        }
        attempts.under_way += 1;
        drop(suspects);
        Ok(Attempt {
            logins: self,
            suspect,
            begun: now,
            outcome: Outcome::Failed,
        })
    }

    fn end(&self, attempt: &Attempt<'_>) {
        let mut suspects = self.suspects();
        let Some(attempts) = suspects.get_mut(&attempt.suspect) else {
            return;
        };
        attempts.under_way = attempts.under_way.saturating_sub(1);
        match attempt.outcome {
            Outcome::Failed => attempts.failed.push_back(attempt.begun),
            Outcome::Succeeded => attempts.failed.clear(),
            Outcome::Undecided => {}
        }
        if attempts.failed.is_empty() && attempts.under_way == 0 {
            suspects.remove(&attempt.suspect);
        }
    }

    fn suspects(&self) -> MutexGuard<'_, HashMap<Suspect, Attempts>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    fn matter(&self, now: Timestamp) -> bool {
        self.under_way > 0 || self.failed.iter().any(|at| *at + WINDOW > now)
    }
}

/// A login that is being tried. Unless it is said to have ended otherwise, it has failed.
#[must_use]
pub(super) struct Attempt<'a> {
    logins: &'a FailedLogins,
    suspect: Suspect,
    begun: Timestamp,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failed,
    Succeeded,
    Undecided,
}

impl Attempt<'_> {
    /// The password was right: earlier failures were its owner's own.
    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// Nobody could say whether the password was right: it counts for nothing.
    pub(super) fn undecided(mut self) {
        self.outcome = Outcome::Undecided;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.logins.end(self);
    }
}
