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

use attempts::{Attempts, PENDING_RETRY_DELAY};
use network::Network;

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
/// account since the start of the process share a budget of failures for it, which slows down guessing from many
/// networks; it never concerns a network that the owner has logged in from.
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
}

/// Factor between the failures allowed from all unknown networks together and those from one network.
const UNKNOWN_NETWORKS: usize = 4;
/// Maximum number of accounts and networks whose attempts are kept. Beyond, only known networks may log in until older
/// attempts expire. At 60 attempts each, the maximum takes 60 MB.
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
        let mut budgets = vec![
            Budget {
                key: self.hasher.hash_one(("logins", network)),
                allowed: self.budgets.logins,
                counts_all: true,
            },
            Budget {
                key: source,
                allowed: self.budgets.failed_logins,
                counts_all: false,
            },
        ];
        if !known {
            budgets.push(Budget {
                key: self.hasher.hash_one(("unknown networks", email)),
                allowed: self.budgets.failed_logins.saturating_mul(UNKNOWN_NETWORKS),
                counts_all: false,
            });
        }
        self.try_begin(budgets, source, known, now)
    }

    /// Starts a registration. If the network's budget is used up, returns the time until the next attempt is allowed.
    pub(super) fn try_register(
        &self,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let network = address.map(Network::of);
        let budget = Budget {
            key: self.hasher.hash_one(("registrations", network)),
            allowed: self.budgets.registrations,
            counts_all: true,
        };
        self.try_begin(vec![budget], 0, false, now)
    }

    fn try_begin(
        &self,
        budgets: Vec<Budget>,
        source: u64,
        known: bool,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        if state.attempts.len() >= MAX_KEYS {
            if now >= state.sweep_at {
                state.attempts.retain(|_, attempts| attempts.are_recent(now));
                state.sweep_at = now + SWEEP_INTERVAL;
            }
            if state.attempts.len() >= MAX_KEYS && !known {
                return Err(PENDING_RETRY_DELAY);
            }
        }
        for budget in &budgets {
            if let Some(attempts) = state.attempts.get_mut(&budget.key) {
                attempts.check(budget.allowed.max(1), now)?;
            }
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
            outcome: Outcome::Failed,
        })
    }

    fn end(&self, attempt: &Attempt<'_>) {
        let mut state = self.state();
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
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failed,
    Succeeded,
    Unknown,
}

impl Attempt<'_> {
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
