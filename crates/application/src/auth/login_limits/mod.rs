//! Limits on logins, refreshes and registrations, checked before any password is hashed.

mod network;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, values::Email};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    attempts::AttemptKeys,
    ports::{
        AttemptBudget, AttemptCounters, AttemptKey, Counts, Outcome, PENDING_RETRY_DELAY, SessionId,
        Unavailable,
    },
    settings::LoginBudgets,
};

pub use network::Network;

/// Limits on logins and registrations, which slow down password guessing and bound the work of hashing. Attempts are
/// counted for one minute, by the counters that all processes of the deployment share.
///
/// A network is an IPv4 address or an IPv6 /64, which is what one subscriber has. Failures are counted per account and
/// network, so that attempts from elsewhere don't lock the owner out. Networks from which nobody has logged in to the
/// account since the start of the process share a budget of failures for it; beyond it they wait before their passwords
/// are verified. That slows down guessing from many networks and keeps no owner out, and never concerns a network that the
/// owner has logged in from. All networks of one IPv6 /48 together have four times the budgets of one.
///
/// An attempt is counted before the password is verified, so that concurrent guesses are limited like sequential ones.
/// Accounts that do not exist are counted like those that do.
///
/// The networks of successful logins and the attempts that wait belong to a process: another process delays a login from
/// a network that only this one knows.
pub struct LoginLimits {
    budgets: LoginBudgets,
    counters: Arc<dyn AttemptCounters>,
    keys: AttemptKeys,
    /// Keys of the accounts and networks of successful logins; the slot follows from the key. A newer login replaces an
    /// older one in the same slot.
    known: Mutex<Vec<Option<AttemptKey>>>,
    /// Places of attempts that wait, for all accounts: each of them is a request in progress.
    waiting: Semaphore,
}

/// Factor between the failures allowed from all unknown networks together and those from one network, and between all
/// attempts of an IPv6 /48 and those of one network.
const MANY_NETWORKS: usize = 4;
/// Wait of a login from an unknown network after too many failures.
const DELAY: Duration = Duration::from_secs(10);
/// Maximum number of attempts that wait.
const MAX_WAITING: usize = 64;
/// Refreshes of one session in a minute. Clients refresh once in the lifetime of an access token.
const REFRESHES: usize = 20;
/// Number of remembered logins.
const KNOWN: usize = 65_536;

/// Reasons why an attempt is not made.
#[derive(Debug)]
pub(super) enum NotAdmitted {
    /// A budget is used up.
    TooMany {
        /// Time until the next attempt is allowed.
        retry_after: Duration,
    },
    /// The attempt can't be counted.
    Unavailable(Unavailable),
}

impl LoginLimits {
    /// Creates limits with these budgets, each at least 1. The secret must be the same in all processes.
    pub fn new(counters: Arc<dyn AttemptCounters>, budgets: LoginBudgets, secret: [u8; 32]) -> Self {
        Self {
            budgets,
            counters,
            keys: AttemptKeys::new(secret),
            known: Mutex::new(vec![None; KNOWN]),
            waiting: Semaphore::new(MAX_WAITING),
        }
    }

    /// Starts a login.
    pub(super) async fn try_log_in(
        &self,
        email: &Email,
        address: Option<IpAddr>,
    ) -> Result<Attempt<'_>, NotAdmitted> {
        let network = address.map(Network::of);
        let email = email.as_str().as_bytes();
        let source = self.keys.of("failed logins", &[email, &bytes(network)]);
        let failures = AttemptBudget {
            key: source,
            allowed: self.budgets.failed_logins,
            counts: Counts::Failures,
        };
        let mut budgets = self.of_network("logins", network, self.budgets.logins);
        budgets.push(failures);
        if !self.knows(source) {
            budgets.push(AttemptBudget {
                key: self.keys.of("failed logins from unknown networks", &[email]),
                allowed: self.budgets.failed_logins.saturating_mul(MANY_NETWORKS),
                counts: Counts::FailuresWithDelay,
            });
        }
        self.try_begin(budgets, source).await
    }

    /// Counts a refresh of a session.
    pub(super) async fn try_refresh(&self, session: SessionId) -> Result<(), NotAdmitted> {
        let key = self.keys.of("refreshes", &[&session.0]);
        self.try_begin(vec![of_all(key, REFRESHES)], key).await.map(drop)
    }

    /// Counts a registration.
    pub(super) async fn try_register(&self, address: Option<IpAddr>) -> Result<(), NotAdmitted> {
        let network = address.map(Network::of);
        let key = self.keys.of("registrations", &[&bytes(network)]);
        let budgets = self.of_network("registrations", network, self.budgets.registrations);
        self.try_begin(budgets, key).await.map(drop)
    }

    /// Budgets of all attempts of a network, and of its /48.
    fn of_network(&self, kind: &str, network: Option<Network>, allowed: usize) -> Vec<AttemptBudget> {
        let mut budgets = vec![of_all(self.keys.of(kind, &[&bytes(network)]), allowed)];
        if let Some(site) = network.and_then(Network::site) {
            let key = self.keys.of(kind, &[b"site", &site.to_be_bytes()]);
            budgets.push(of_all(key, allowed.saturating_mul(MANY_NETWORKS)));
        }
        budgets
    }

    async fn try_begin(
        &self,
        budgets: Vec<AttemptBudget>,
        source: AttemptKey,
    ) -> Result<Attempt<'_>, NotAdmitted> {
        let admission = self.counters.begin(&budgets).await;
        let admission = admission.map_err(NotAdmitted::Unavailable)?;
        let began_at = admission.began_at.ok_or(NotAdmitted::TooMany {
            retry_after: admission.reset,
        })?;
        let mut attempt = Attempt {
            limits: self,
            budgets,
            source,
            began_at,
            waiting: None,
        };
        if admission.delayed {
            let Ok(place) = self.waiting.try_acquire() else {
                attempt.not_verified().await;
                return Err(NotAdmitted::TooMany {
                    retry_after: PENDING_RETRY_DELAY,
                });
            };
            attempt.waiting = Some(place);
        }
        Ok(attempt)
    }

    fn knows(&self, source: AttemptKey) -> bool {
        self.known().get(slot(source)) == Some(&Some(source))
    }

    fn remember(&self, source: AttemptKey) {
        if let Some(known) = self.known().get_mut(slot(source)) {
            *known = Some(source);
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Option<AttemptKey>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Budget of all attempts.
const fn of_all(key: AttemptKey, allowed: usize) -> AttemptBudget {
    AttemptBudget {
        key,
        allowed,
        counts: Counts::All,
    }
}

/// A network, or that the address is unknown, as part of a key.
fn bytes(network: Option<Network>) -> Vec<u8> {
    match network {
        None => Vec::new(),
        Some(Network::V4(bits)) => bits.to_be_bytes().to_vec(),
        Some(Network::V6(bits)) => bits.to_be_bytes().to_vec(),
    }
}

fn slot(source: AttemptKey) -> usize {
    let [first, second, ..] = source.0;
    usize::from(u16::from_be_bytes([first, second])) % KNOWN
}

/// Pending login. It counts as failed if it is dropped without an outcome.
#[must_use]
pub(super) struct Attempt<'a> {
    limits: &'a LoginLimits,
    budgets: Vec<AttemptBudget>,
    /// Key of account and network.
    source: AttemptKey,
    began_at: Timestamp,
    /// Place among those that wait, if the attempt is delayed.
    waiting: Option<SemaphorePermit<'a>>,
}

impl Attempt<'_> {
    /// Time to wait before the password is verified.
    pub(super) const fn delay(&self) -> Duration {
        match self.waiting {
            Some(_) => DELAY,
            None => Duration::ZERO,
        }
    }

    /// The password was correct. Clears earlier failures from this network, which is known from now on.
    pub(super) async fn succeeded(self) {
        self.limits.remember(self.source);
        // Earlier failures were probably typing errors of the owner; those from unknown networks were not.
        let outcome = |key| {
            if key == self.source {
                Outcome::Forgiven
            } else {
                Outcome::Withdrawn
            }
        };
        self.settle(outcome).await;
    }

    /// The password was wrong.
    pub(super) async fn failed(self) {
        self.settle(|_| Outcome::Failed).await;
    }

    /// The password could not be verified. The attempt does not count.
    pub(super) async fn not_verified(self) {
        let outcomes = self.budgets.iter().map(|budget| (budget.key, Outcome::Withdrawn));
        self.settled(outcomes.collect()).await;
    }

    /// Settles the budgets of failures; those of all attempts have counted this one.
    async fn settle(&self, outcome: impl Fn(AttemptKey) -> Outcome) {
        let failures = self.budgets.iter().filter(|budget| budget.counts != Counts::All);
        let outcomes = failures.map(|budget| (budget.key, outcome(budget.key)));
        self.settled(outcomes.collect()).await;
    }

    async fn settled(&self, outcomes: Vec<(AttemptKey, Outcome)>) {
        if let Err(error) = self.limits.counters.settle(self.began_at, &outcomes).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the outcome of a login can't be counted; the login counts as failed for a minute"
            );
        }
    }
}

#[cfg(test)]
mod tests;
