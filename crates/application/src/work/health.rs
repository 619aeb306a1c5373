use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{PhotoId, Timestamp};

use super::backoff::{MAX_BACKOFF, after};
use crate::ports::Clock;

/// Circuit breaker for object storage, fed by the requests of this process.
///
/// While storage is down it keeps workers from claiming work that they can't do and from overloading the store.
pub(super) struct StorageHealth {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Photos with failures since the last success, up to [`FAILURE_THRESHOLD`]; `None` stands for the bucket.
    failed: HashSet<Option<PhotoId>>,
    /// Time of the first of these failures.
    since: Option<Timestamp>,
    /// Time from which a single work item may test storage; set while storage is down.
    probe_at: Option<Timestamp>,
    successes: Successes,
    /// Photos whose work last ended with a storage error.
    affected: HashMap<PhotoId, FirstError>,
}

/// Latest successful requests, to tell whether other photos than a certain one were reachable.
#[derive(Debug, Default)]
struct Successes {
    /// Number of successes so far.
    count: u64,
    /// Photo of the latest success.
    latest: Option<PhotoId>,
    /// Number of the latest success of another photo than the latest one.
    latest_of_others: u64,
}

#[derive(Debug, Clone, Copy)]
struct FirstError {
    at: Timestamp,
    /// Number of successes before it.
    successes: u64,
}

/// Cause of a storage error of one photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// Storage may be unavailable for all.
    Storage,
    /// Other photos were reachable since this photo's first error.
    Object,
    /// The photo has failed for [`UNCLEAR_AFTER`] in which no other photo was reachable.
    Unclear,
}

/// Limit on the work items that may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// As many as the worker pool has capacity for.
    All,
    /// One work item, which tests if storage is available again.
    Probe,
    /// None before this time.
    NotBefore(Timestamp),
}

/// Number of photos that fail in a row, without a success in between, after which storage counts as down. A smaller
/// number may be errors of single objects.
const FAILURE_THRESHOLD: usize = 5;
/// Photos whose first storage error is remembered. The errors of others are taken for an outage.
const MAX_AFFECTED: usize = 10_000;
/// Time of one photo's errors after which its cause is checked, if no other photo is requested.
const UNCLEAR_AFTER: Duration = Duration::from_hours(1);
const MIN_RETRY_DELAY: Duration = Duration::from_secs(2);
const MIN_PROBE_INTERVAL: Duration = Duration::from_secs(1);
const MAX_PROBE_INTERVAL: Duration = Duration::from_secs(30);

impl StorageHealth {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Current limit. While storage is down, one probe is allowed per probe interval.
    pub(super) fn allowance(&self) -> Allowance {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.probe_at {
            Some(at) if now < at => Allowance::NotBefore(at),
            Some(_) => {
                state.probe_at = Some(after(now, state.probe_interval(now)));
                Allowance::Probe
            }
            None => Allowance::All,
        }
    }

    /// Delay before work that failed because of storage is retried. It equals the duration of the outage so far, so
    /// that delays double.
    pub(super) fn retry_delay(&self) -> Duration {
        let now = self.clock.now();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outage(now).clamp(MIN_RETRY_DELAY, MAX_BACKOFF)
    }

    /// Cause of a storage error with which a photo's work ended.
    pub(super) fn blame(&self, photo: PhotoId) -> Blame {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State {
            affected, successes, ..
        } = &mut *state;
        match affected.get(&photo) {
            Some(first) if successes.latest_except(photo) > first.successes => Blame::Object,
            Some(first) if now >= first.at + UNCLEAR_AFTER => Blame::Unclear,
            Some(_) => Blame::Storage,
            None => {
                if affected.len() < MAX_AFFECTED {
                    let first = FirstError {
                        at: now,
                        successes: successes.count,
                    };
                    affected.insert(photo, first);
                }
                Blame::Storage
            }
        }
    }

    /// Forgets a photo's storage errors, because its work ended in another way or because they were counted.
    pub(super) fn forget(&self, photo: PhotoId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.affected.remove(&photo);
    }

    /// Records a successful request for an object of a photo; `None` for other requests.
    pub(super) fn succeeded(&self, photo: Option<PhotoId>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failed.clear();
        state.since = None;
        state.probe_at = None;
        if let Some(photo) = photo {
            state.successes.add(photo);
        }
    }

    pub(super) fn failed(&self, photo: Option<PhotoId>) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failed.len() < FAILURE_THRESHOLD {
            state.failed.insert(photo);
        }
        state.since.get_or_insert(now);
        if state.failed.len() >= FAILURE_THRESHOLD {
            let probe_at = after(now, state.probe_interval(now));
            if state.probe_at.is_none() {
                tracing::warn!(
                    photos = state.failed.len(),
                    "object storage is down: no work is claimed until a probe succeeds"
                );
            }
            state.probe_at = Some(state.probe_at.map_or(probe_at, |at| at.max(probe_at)));
        }
    }
}

impl Successes {
    fn add(&mut self, photo: PhotoId) {
        if self.latest != Some(photo) {
            self.latest_of_others = self.count;
            self.latest = Some(photo);
        }
        self.count += 1;
    }

    /// Number of the latest success of another photo; 0 if there is none.
    fn latest_except(&self, photo: PhotoId) -> u64 {
        if self.latest == Some(photo) {
            self.latest_of_others
        } else {
            self.count
        }
    }
}

impl State {
    fn probe_interval(&self, now: Timestamp) -> Duration {
        self.outage(now).clamp(MIN_PROBE_INTERVAL, MAX_PROBE_INTERVAL)
    }

    /// Duration of the current run of failures.
    fn outage(&self, now: Timestamp) -> Duration {
        self.since
            .and_then(|since| (now - since).to_std().ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct ManualClock(Mutex<Timestamp>);

    impl ManualClock {
        fn advance(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    fn health() -> (Arc<ManualClock>, StorageHealth) {
        let clock = Arc::new(ManualClock(Mutex::new(Timestamp::from_timestamp(0, 0).unwrap())));
        (Arc::clone(&clock), StorageHealth::new(clock))
    }

    fn photo(number: usize) -> PhotoId {
        PhotoId::from_bits(number as u128)
    }

    #[test]
    fn a_few_failures_are_not_an_outage() {
        let (_, health) = health();
        (1..FAILURE_THRESHOLD).for_each(|number| health.failed(Some(photo(number))));
        assert_eq!(health.allowance(), Allowance::All);
        health.succeeded(Some(photo(0)));
        (1..FAILURE_THRESHOLD).for_each(|number| health.failed(Some(photo(number))));
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn failures_of_one_photo_are_not_an_outage() {
        let (_, health) = health();
        (0..100).for_each(|_| health.failed(Some(photo(1))));
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn while_storage_is_down_one_work_item_at_a_time_probes_it() {
        let (clock, health) = health();
        (0..FAILURE_THRESHOLD).for_each(|number| health.failed(Some(photo(number))));
        assert!(matches!(health.allowance(), Allowance::NotBefore(_)));
        clock.advance(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        assert!(
            matches!(health.allowance(), Allowance::NotBefore(_)),
            "the probe is already in progress"
        );
        health.failed(Some(photo(1)));
        clock.advance(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        health.succeeded(Some(photo(1)));
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn retry_delays_grow_with_the_outage() {
        let (clock, health) = health();
        health.failed(Some(photo(1)));
        assert_eq!(health.retry_delay(), MIN_RETRY_DELAY);
        clock.advance(60);
        assert_eq!(health.retry_delay(), Duration::from_mins(1));
        clock.advance(3600);
        assert_eq!(health.retry_delay(), MAX_BACKOFF);
    }

    #[test]
    fn an_object_is_to_blame_if_others_were_reachable_meanwhile() {
        let (clock, health) = health();
        let [one, two] = [1, 2].map(PhotoId::from_bits);
        health.succeeded(Some(two));
        assert_eq!(health.blame(one), Blame::Storage, "the first error");
        assert_eq!(health.blame(one), Blame::Storage, "nothing was reachable since");
        health.succeeded(Some(one));
        assert_eq!(
            health.blame(one),
            Blame::Storage,
            "only its own objects were reachable"
        );
        health.succeeded(Some(two));
        health.succeeded(Some(one));
        assert_eq!(health.blame(one), Blame::Object);
        health.forget(one);
        assert_eq!(health.blame(one), Blame::Storage, "counted once");
        clock.advance(3599);
        assert_eq!(health.blame(one), Blame::Storage);
        clock.advance(1);
        assert_eq!(health.blame(one), Blame::Unclear);
    }
}
