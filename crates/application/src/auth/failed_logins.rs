use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{Timestamp, values::Email};

/// Remembers failed logins for a minute, so that passwords can't be guessed at speed.
///
/// An account is counted together with the address that tries it: a stranger can't lock its owner out.
#[derive(Debug)]
pub struct FailedLogins {
    allowed: usize,
    failures: Mutex<HashMap<Suspect, VecDeque<Timestamp>>>,
}

/// An account, and who tries it.
type Suspect = (Email, Option<IpAddr>);

const WINDOW: Duration = Duration::from_mins(1);
/// How many account and address pairs are remembered before silent ones are swept out.
const SWEEP_AT: usize = 10_000;

impl FailedLogins {
    /// So many failures a minute are allowed.
    pub fn new(allowed: usize) -> Self {
        Self {
            allowed: allowed.max(1),
            failures: Mutex::default(),
        }
    }

    /// How long to wait before the next try, if it must wait.
    pub(super) fn wait(&self, email: &Email, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failures.get_mut(&(email.clone(), address))?;
        recent.retain(|at| *at + WINDOW > now);
        if recent.len() < self.allowed {
            return None;
        }
        let oldest = recent.front()?;
        (*oldest + WINDOW - now).to_std().ok()
    }

    pub(super) fn failed(&self, email: Email, address: Option<IpAddr>, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= SWEEP_AT {
            failures.retain(|_, recent| recent.back().is_some_and(|at| *at + WINDOW > now));
        }
        let recent = failures.entry((email, address)).or_default();
        recent.push_back(now);
        if recent.len() > self.allowed {
            recent.pop_front();
        }
    }

    pub(super) fn succeeded(&self, email: &Email, address: Option<IpAddr>) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(email.clone(), address));
    }
}
