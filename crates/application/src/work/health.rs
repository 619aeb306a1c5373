use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use rapidphoto_domain::{Timestamp, values::ETag};

use super::backoff::{MAX_BACKOFF, after};
use crate::ports::{Clock, GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable};

/// Circuit breaker for object storage, fed by the requests of this process.
///
/// While storage is down it keeps workers from claiming work that they can't do and from overloading the store.
pub(super) struct StorageHealth {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Consecutive failures.
    failures: u32,
    /// Time of the first of these failures.
    since: Option<Timestamp>,
    /// Time from which a single work item may test storage; set while storage is down.
    probe_at: Option<Timestamp>,
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

/// Consecutive failures after which storage counts as down. A smaller number may be isolated errors.
const FAILURE_THRESHOLD: u32 = 5;
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

    fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    fn failed(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        state.since.get_or_insert(now);
        if state.failures >= FAILURE_THRESHOLD {
            let probe_at = after(now, state.probe_interval(now));
            if state.probe_at.is_none() {
                tracing::warn!(
                    failures = state.failures,
                    "object storage is down: no work is claimed until a probe succeeds"
                );
            }
            state.probe_at = Some(state.probe_at.map_or(probe_at, |at| at.max(probe_at)));
        }
    }

    fn observe<T>(&self, result: Result<T, Unavailable>) -> Result<T, Unavailable> {
        match &result {
            Ok(_) => self.succeeded(),
            Err(_) => self.failed(),
        }
        result
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

/// Object storage whose responses feed a [`StorageHealth`].
pub(super) struct MonitoredStore {
    inner: Arc<dyn ObjectStore>,
    health: Arc<StorageHealth>,
}

impl MonitoredStore {
    pub(super) const fn new(inner: Arc<dyn ObjectStore>, health: Arc<StorageHealth>) -> Self {
        Self { inner, health }
    }
}

#[async_trait]
impl ObjectStore for MonitoredStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.health.observe(self.inner.head(key).await)
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        match self.inner.get(key, if_match).await {
            Ok(body) => {
                self.health.succeeded();
                let health = Arc::clone(&self.health);
                let observed = body.stream.inspect(move |chunk| {
                    if chunk.is_err() {
                        health.failed();
                    }
                });
                Ok(ObjectBody {
                    bytes: body.bytes,
                    stream: Box::pin(observed),
                })
            }
            Err(GetError::Unavailable(why)) => {
                self.health.failed();
                Err(GetError::Unavailable(why))
            }
            Err(other @ (GetError::Missing | GetError::Changed)) => {
                self.health.succeeded();
                Err(other)
            }
        }
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.health.observe(self.inner.put(key, body, content_type).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.health.observe(self.inner.delete(key).await)
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.health.observe(self.inner.check().await)
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

    #[test]
    fn one_failure_is_not_an_outage() {
        let (_, health) = health();
        (1..FAILURE_THRESHOLD).for_each(|_| health.failed());
        assert_eq!(health.allowance(), Allowance::All);
        health.succeeded();
        (1..FAILURE_THRESHOLD).for_each(|_| health.failed());
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn while_storage_is_down_one_work_item_at_a_time_probes_it() {
        let (clock, health) = health();
        (0..FAILURE_THRESHOLD).for_each(|_| health.failed());
        assert!(matches!(health.allowance(), Allowance::NotBefore(_)));
        clock.advance(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        assert!(
            matches!(health.allowance(), Allowance::NotBefore(_)),
            "the probe is already in progress"
        );
        health.failed();
        clock.advance(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        health.succeeded();
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn retry_delays_grow_with_the_outage() {
        let (clock, health) = health();
        health.failed();
        assert_eq!(health.retry_delay(), MIN_RETRY_DELAY);
        clock.advance(60);
        assert_eq!(health.retry_delay(), Duration::from_mins(1));
        clock.advance(3600);
        assert_eq!(health.retry_delay(), MAX_BACKOFF);
    }
}
