use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapidphoto_domain::Timestamp;

use crate::ports::{
    ATTEMPT_WINDOW, Admission, AttemptBudget, AttemptKey, Counts, Outcome, PENDING_RETRY_DELAY,
};

/// Counters of attempts in memory, for deployments of one process. Their adapter brings the clock.
#[derive(Debug, Default)]
pub struct LocalAttempts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counters: HashMap<AttemptKey, Counter>,
    /// Time from which expired attempts may be removed again.
    sweep_at: Timestamp,
}

/// Attempts that count against one budget, by their start.
#[derive(Debug, Default)]
struct Counter {
    counted: Vec<Timestamp>,
    /// Attempts without an outcome yet; each of them may be counted.
    pending: Vec<Timestamp>,
}

/// Places of one budget before an attempt.
struct Places {
    refuses: bool,
    delays: bool,
    left: usize,
    reset: Duration,
}

/// Maximum number of counters. Beyond, half of them are forgotten. At 60 attempts each, the maximum takes 60 MB.
const MAX_KEYS: usize = 50_000;
/// Minimum interval between two removals of expired attempts, which look at all of them.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

impl LocalAttempts {
    /// Like [`AttemptCounters::begin`](crate::ports::AttemptCounters::begin), at this time.
    pub fn begin(&self, budgets: &[AttemptBudget], now: Timestamp) -> Admission {
        let mut state = self.state();
        state.make_room(now);
        let mut places = state.places(budgets, now);
        let refused = places.iter().any(|places| places.refuses);
        let delayed = places.iter().any(|places| places.delays);
        if !refused {
            for budget in budgets {
                let counter = state.counters.entry(budget.key).or_default();
                match budget.counts {
                    Counts::All => counter.counted.push(now),
                    Counts::Failures | Counts::FailuresWithDelay => counter.pending.push(now),
                }
            }
            places = state.places(budgets, now);
        }
        let fullest = places
            .iter()
            .min_by_key(|places| (!(refused && places.refuses), places.left, Reverse(places.reset)));
        Admission {
            began_at: (!refused).then_some(now),
            delayed: delayed && !refused,
            remaining: fullest.map_or(0, |places| places.left),
            reset: fullest.map_or(Duration::ZERO, |places| places.reset),
        }
    }

    /// Like [`AttemptCounters::settle`](crate::ports::AttemptCounters::settle).
    pub fn settle(&self, began_at: Timestamp, outcomes: &[(AttemptKey, Outcome)]) {
        let mut state = self.state();
        for (key, outcome) in outcomes {
            let Some(counter) = state.counters.get_mut(key) else {
                continue;
            };
            let was_pending = remove_one(&mut counter.pending, began_at);
            match outcome {
                Outcome::Failed if was_pending => counter.counted.push(began_at),
                Outcome::Withdrawn if !was_pending => {
                    remove_one(&mut counter.counted, began_at);
                }
                Outcome::Forgiven => counter.counted.clear(),
                Outcome::Failed | Outcome::Withdrawn => {}
            }
            if counter.counted.is_empty() && counter.pending.is_empty() {
                state.counters.remove(key);
            }
        }
    }

    /// Like [`AttemptCounters::delete_expired_attempts`](crate::ports::AttemptCounters::delete_expired_attempts), at this
    /// time.
    pub fn delete_expired(&self, now: Timestamp) {
        let mut state = self.state();
        state.delete_expired(now);
        state.counters.shrink_to_fit();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn places(&mut self, budgets: &[AttemptBudget], now: Timestamp) -> Vec<Places> {
        budgets
            .iter()
            .map(|budget| {
                let mut none = Counter::default();
                let counter = self.counters.get_mut(&budget.key).unwrap_or(&mut none);
                counter.places(budget, now)
            })
            .collect()
    }

    /// Bounds the number of counters. Forgotten ones allow some attempts more; refused attempts would keep owners out.
    fn make_room(&mut self, now: Timestamp) {
        if self.counters.len() < MAX_KEYS {
            return;
        }
        if now >= self.sweep_at {
            self.delete_expired(now);
            self.sweep_at = now + SWEEP_INTERVAL;
        }
        if self.counters.len() >= MAX_KEYS {
            let mut kept = false;
            self.counters.retain(|_, counter| {
                kept = !kept;
                kept || !counter.pending.is_empty()
            });
        }
    }

    fn delete_expired(&mut self, now: Timestamp) {
        self.counters.retain(|_, counter| {
            counter.forget_expired(now);
            !counter.counted.is_empty() || !counter.pending.is_empty()
        });
    }
}

impl Counter {
    fn places(&mut self, budget: &AttemptBudget, now: Timestamp) -> Places {
        self.forget_expired(now);
        let allowed = budget.allowed.max(1);
        let taken = self.counted.len() + self.pending.len();
        let is_full = taken >= allowed;
        let delays = is_full && budget.counts == Counts::FailuresWithDelay;
        let oldest = self.counted.iter().min();
        let oldest_ends = oldest.and_then(|oldest| (*oldest + ATTEMPT_WINDOW - now).to_std().ok());
        Places {
            refuses: is_full && (!delays || self.pending.len() >= allowed),
            delays,
            left: allowed.saturating_sub(taken),
            reset: if is_full && self.counted.len() < allowed {
                PENDING_RETRY_DELAY
            } else {
                oldest_ends.unwrap_or(Duration::ZERO)
            },
        }
    }

    fn forget_expired(&mut self, now: Timestamp) {
        let counts = |at: &Timestamp| *at + ATTEMPT_WINDOW > now;
        self.counted.retain(counts);
        self.pending.retain(counts);
    }
}

/// Removes one of equal times; returns true if there was one.
fn remove_one(times: &mut Vec<Timestamp>, time: Timestamp) -> bool {
    let found = times.iter().position(|other| *other == time);
    found.map(|index| times.remove(index)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_kept_attempts_is_bounded_and_nobody_is_kept_out() {
        let attempts = LocalAttempts::default();
        let now = Timestamp::from_timestamp(1_772_360_430, 0).unwrap();
        let fail = |first: u32, at: Timestamp| {
            for n in first..first + 100_000 {
                let mut key = [0; 16];
                key[..4].copy_from_slice(&n.to_be_bytes());
                let key = AttemptKey(key);
                let budget = AttemptBudget {
                    key,
                    allowed: 1,
                    counts: Counts::Failures,
                };
                assert_eq!(attempts.begin(&[budget], at).began_at, Some(at), "attempt {n}");
                attempts.settle(at, &[(key, Outcome::Failed)]);
            }
        };
        fail(0, now);
        assert!(attempts.state().counters.len() <= MAX_KEYS);
        fail(100_000, now + ATTEMPT_WINDOW);
        assert!(attempts.state().counters.len() <= MAX_KEYS);
        attempts.delete_expired(now + 2 * ATTEMPT_WINDOW);
        assert!(attempts.state().counters.is_empty());
    }
}
