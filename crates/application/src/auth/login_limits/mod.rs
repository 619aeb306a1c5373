//! Limits on logins and registrations, checked before any password is hashed.

mod attempts;
mod network;

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, values::Email};

use crate::ports::SessionId;

use attempts::{Attempts, PENDING_RETRY_DELAY};
pub use network::Network;

/// Numbers of attempts that are allowed in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginBudgets {
    /// Failed logins for one account from one network. Default: 5. Four times as many are allowed from all networks
    /// together from which nobody has logged in to the account before.
    pub failed_logins: usize,
    /// Logins from one network, successful or not. Default: 60.
    pub logins: usize,
    /// Registrations from one network, successful or not. Default: 10.
    pub registrations: usize,
}

impl Default for LoginBudgets {
    fn default() -> Self {
        Self {
            failed_logins: 5,
            logins: 60,
            registrations: 10,
        }
    }
}

/// Limits on logins and registrations, which slow down password guessing and bound the work of hashing. Attempts are kept
/// in memory for one minute.
///
/// A network is an IPv4 address or an IPv6 /64, which is what one subscriber has. Failures are counted per account and
/// network, so that attempts from elsewhere don't lock the owner out. Networks from which nobody has logged in to the
/// account since the start of the process share a budget of failures for it; beyond it they wait before their passwords
/// are verified. That slows down guessing from many networks and keeps no owner out, and never concerns a network that the
/// owner has logged in from. All networks of one IPv6 /48 together have four times the budgets of one.
///
/// An attempt is counted before the password is verified, so that concurrent guesses are limited like sequential ones.
/// Accounts that do not exist are counted like those that do.
#[derive(Debug)]
pub struct LoginLimits {
    budgets: LoginBudgets,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Attempts by the hash of what they are counted for.
    attempts: HashMap<u64, Attempts>,
    /// Time from which expired attempts may be removed again.
    sweep_at: Timestamp,
    /// Hashes of the accounts and networks of successful logins; the slot follows from the hash. A newer login replaces
    /// an older one in the same slot.
    known: Vec<u64>,
    /// Attempts that wait.
    delayed: usize,
}

/// Factor between the failures allowed from all unknown networks together and those from one network, and between all
/// attempts of an IPv6 /48 and those of one network.
const MANY_NETWORKS: usize = 4;
/// Wait of a login from an unknown network after too many failures.
const DELAY: Duration = Duration::from_secs(10);
/// Maximum number of attempts that wait, for all accounts: each of them is a request in progress.
const MAX_DELAYED: usize = 64;
/// Refreshes of one session in a minute. Clients refresh once in the lifetime of an access token.
const REFRESHES: usize = 20;
/// Maximum number of accounts and networks whose attempts are kept. Beyond, half of them are forgotten. At 60 attempts each,
/// the maximum takes 60 MB.
const MAX_KEYS: usize = 50_000;
/// Minimum interval between two removals of expired attempts, which look at all of them.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Number of remembered logins.
const KNOWN: usize = 65_536;

/// Something that attempts are counted for, and the allowed number.
#[derive(Clone, Copy)]
struct Budget {
    key: u64,
    allowed: usize,
    /// True if successful attempts count as well.
    counts_all: bool,
    /// True if attempts beyond it wait instead of being refused.
    delays: bool,
}

impl Budget {
    /// Budget of all attempts.
    const fn of_all(key: u64, allowed: usize) -> Self {
        Self {
            key,
            allowed,
            counts_all: true,
            delays: false,
        }
    }

    /// Budget of failed attempts.
    const fn of_failures(key: u64, allowed: usize) -> Self {
        Self {
            counts_all: false,
            ..Self::of_all(key, allowed)
        }
    }
}

impl LoginLimits {
    /// Creates limits with these budgets, each at least 1.
    pub fn new(budgets: LoginBudgets) -> Self {
        Self {
            budgets,
            hasher: RandomState::new(),
            state: Mutex::new(State {
                attempts: HashMap::new(),
                sweep_at: Timestamp::UNIX_EPOCH,
                known: vec![0; KNOWN],
                delayed: 0,
            }),
        }
    }

    /// Starts a login. If a budget is used up, returns the time until the next attempt is allowed.
    pub(super) fn try_log_in(
        &self,
        email: &Email,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let network = address.map(Network::of);
        let source = self.hasher.hash_one((email, network));
        let known = self.state().knows(source);
        let mut budgets = self.of_network("logins", network, self.budgets.logins);
        budgets.push(Budget::of_failures(source, self.budgets.failed_logins));
        if !known {
            let key = self.hasher.hash_one(("unknown networks", email));
            let allowed = self.budgets.failed_logins.saturating_mul(MANY_NETWORKS);
            budgets.push(Budget {
                delays: true,
                ..Budget::of_failures(key, allowed)
            });
        }
        self.try_begin(budgets, source, now)
    }

    /// Starts a refresh. If the session's budget is used up, returns the time until the next one is allowed.
    pub(super) fn try_refresh(&self, session: SessionId, now: Timestamp) -> Result<Attempt<'_>, Duration> {
        let key = self.hasher.hash_one(("refreshes", session));
        self.try_begin(vec![Budget::of_all(key, REFRESHES)], 0, now)
    }

    /// Starts a registration. If the network's budget is used up, returns the time until the next attempt is allowed.
    pub(super) fn try_register(
        &self,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let network = address.map(Network::of);
        let budgets = self.of_network("registrations", network, self.budgets.registrations);
        self.try_begin(budgets, 0, now)
    }

    /// Budgets of all attempts of a network, and of its /48.
    fn of_network(&self, kind: &str, network: Option<Network>, allowed: usize) -> Vec<Budget> {
        let mut budgets = vec![Budget::of_all(self.hasher.hash_one((kind, network)), allowed)];
        if let Some(site) = network.and_then(Network::site) {
            let key = self.hasher.hash_one((kind, "site", site));
            budgets.push(Budget::of_all(key, allowed.saturating_mul(MANY_NETWORKS)));
        }
        budgets
    }

    fn try_begin(&self, budgets: Vec<Budget>, source: u64, now: Timestamp) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        state.make_room(now);
        let mut delay = Duration::ZERO;
        for budget in &budgets {
            let allowed = budget.allowed.max(1);
            if let Some(attempts) = state.attempts.get_mut(&budget.key) {
                match attempts.check(allowed, now) {
                    Err(_) if budget.delays && attempts.pending < allowed => delay = DELAY,
                    checked => checked?,
                }
            }
        }
        if !delay.is_zero() {
            if state.delayed >= MAX_DELAYED {
                return Err(PENDING_RETRY_DELAY);
            }
            state.delayed += 1;
        }
        for budget in &budgets {
            state.attempts.entry(budget.key).or_default().pending += 1;
        }
        drop(state);
        Ok(Attempt {
            limits: self,
            budgets,
            source,
            started_at: now,
            delay,
            outcome: Outcome::Failed,
        })
    }

    fn end(&self, attempt: &Attempt<'_>) {
        let mut state = self.state();
        state.delayed -= usize::from(!attempt.delay.is_zero());
        for budget in &attempt.budgets {
            let Some(attempts) = state.attempts.get_mut(&budget.key) else {
                continue;
            };
            attempts.pending = attempts.pending.saturating_sub(1);
            match attempt.outcome {
                Outcome::Failed => attempts.counted.push_back(attempt.started_at),
                Outcome::Succeeded if budget.counts_all => attempts.counted.push_back(attempt.started_at),
                // Earlier failures were probably typing errors of the owner; those from unknown networks were not.
                Outcome::Succeeded if budget.key == attempt.source => attempts.counted.clear(),
                Outcome::Succeeded | Outcome::Unknown => {}
            }
            if attempts.is_empty() {
                state.attempts.remove(&budget.key);
            }
        }
        if matches!(attempt.outcome, Outcome::Succeeded) {
            state.remember(attempt.source);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Bounds the number of keys. What is forgotten allows some attempts more; refused attempts would keep owners out.
    fn make_room(&mut self, now: Timestamp) {
        if self.attempts.len() < MAX_KEYS {
            return;
        }
        if now >= self.sweep_at {
            self.attempts.retain(|_, attempts| attempts.are_recent(now));
            self.sweep_at = now + SWEEP_INTERVAL;
        }
        if self.attempts.len() >= MAX_KEYS {
            let mut kept = false;
            self.attempts.retain(|_, attempts| {
                kept = !kept;
                kept || attempts.pending > 0
            });
        }
    }

    fn knows(&self, source: u64) -> bool {
        self.known.get(slot(source)) == Some(&source)
    }

    fn remember(&mut self, source: u64) {
        if let Some(known) = self.known.get_mut(slot(source)) {
            *known = source;
        }
    }
}

fn slot(source: u64) -> usize {
    usize::try_from(source % KNOWN as u64).unwrap_or(0)
}

/// Pending login or registration. It counts as failed when it is dropped without another outcome.
#[must_use]
pub(super) struct Attempt<'a> {
    limits: &'a LoginLimits,
    budgets: Vec<Budget>,
    /// Hash of account and network.
    source: u64,
    started_at: Timestamp,
    delay: Duration,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failed,
    Succeeded,
    Unknown,
}

impl Attempt<'_> {
    /// Time to wait before the password is verified.
    pub(super) const fn delay(&self) -> Duration {
        self.delay
    }

    /// The password was correct. Clears earlier failures from this network, which is known from now on.
    pub(super) fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// The password could not be verified. The attempt does not count.
    pub(super) fn not_verified(mut self) {
        self.outcome = Outcome::Unknown;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.limits.end(self);
    }
}

#[cfg(test)]
mod tests;
