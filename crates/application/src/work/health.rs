use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use rapidphoto_domain::{Timestamp, values::ETag};

use super::pause::{LONGEST_PAUSE, after};
use crate::ports::{Clock, GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable};

/// Whether object storage answers, as this process sees it: a circuit breaker that keeps workers from claiming what
/// they can't do, and from hammering a store that is down.
pub(super) struct StorageHealth {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures in a row.
    failures: u32,
    /// When the first of them was.
    since: Option<Timestamp>,
    /// When a single piece of work may try again.
    probe_at: Option<Timestamp>,
}

/// How much work may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// As much as there is room for.
    All,
    /// One piece, to see whether storage is back.
    Probe,
    /// None before this moment.
    NotBefore(Timestamp),
}

/// So many failures in a row mean that storage is down, and not that something went wrong once.
const DOWN: u32 = 5;
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
const SHORTEST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(30);

impl StorageHealth {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// How much work may be claimed now. A probe is given out once per pause.
    pub(super) fn allowance(&self) -> Allowance {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.probe_at {
            Some(at) if now < at => Allowance::NotBefore(at),
            Some(_) => {
                state.probe_at = Some(after(now, state.outage(now).clamp(SHORTEST_PROBE, LONGEST_PROBE)));
                Allowance::Probe
            }
            None => Allowance::All,
        }
    }

    /// How long work that met the outage shall wait: as long as the outage lasts already, so that pauses double.
    pub(super) fn pause(&self) -> Duration {
        let now = self.clock.now();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outage(now).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    fn failed(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        state.since.get_or_insert(now);
        if state.failures >= DOWN {
            let pause = state.outage(now).clamp(SHORTEST_PROBE, LONGEST_PROBE);
            let probe_at = after(now, pause);
            if state.probe_at.is_none() {
                tracing::warn!(
                    failures = state.failures,
                    "object storage is down: no work is claimed for now"
                );
            }
            state.probe_at = Some(state.probe_at.map_or(probe_at, |at| at.max(probe_at)));
        }
    }

    fn note<T>(&self, answer: Result<T, Unavailable>) -> Result<T, Unavailable> {
        match &answer {
            Ok(_) => self.succeeded(),
            Err(_) => self.failed(),
        }
        answer
    }
}

impl State {
    fn outage(&self, now: Timestamp) -> Duration {
        self.since
            .and_then(|since| (now - since).to_std().ok())
            .unwrap_or_default()
    }
}

/// Object storage, with every answer noted.
pub(super) struct WatchedStore {
    inner: Arc<dyn ObjectStore>,
    health: Arc<StorageHealth>,
}

impl WatchedStore {
    pub(super) const fn new(inner: Arc<dyn ObjectStore>, health: Arc<StorageHealth>) -> Self {
        Self { inner, health }
    }
}

#[async_trait]
impl ObjectStore for WatchedStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.health.note(self.inner.head(key).await)
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        match self.inner.get(key, if_match).await {
            Ok(body) => {
                self.health.succeeded();
                let health = Arc::clone(&self.health);
                let noted = body.stream.inspect(move |chunk| {
                    if chunk.is_err() {
                        health.failed();
                    }
                });
                Ok(ObjectBody {
                    bytes: body.bytes,
                    stream: Box::pin(noted),
                })
            }
            Err(GetError::Unavailable(why)) => {
                self.health.failed();
                Err(GetError::Unavailable(why))
            }
            Err(answer @ (GetError::Missing | GetError::Changed)) => {
                self.health.succeeded();
                Err(answer)
            }
        }
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.health.note(self.inner.put(key, body, content_type).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.health.note(self.inner.delete(key).await)
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.health.note(self.inner.check().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(Mutex<Timestamp>);

    impl At {
        fn pass(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    impl Clock for At {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    fn health() -> (Arc<At>, StorageHealth) {
        let clock = Arc::new(At(Mutex::new(Timestamp::from_timestamp(0, 0).unwrap())));
        (Arc::clone(&clock), StorageHealth::new(clock))
    }

    #[test]
    fn one_failure_is_not_an_outage() {
        let (_, health) = health();
        (1..DOWN).for_each(|_| health.failed());
        assert_eq!(health.allowance(), Allowance::All);
        health.succeeded();
        (1..DOWN).for_each(|_| health.failed());
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn while_storage_is_down_one_piece_of_work_at_a_time_finds_out_whether_it_is_back() {
        let (clock, health) = health();
        (0..DOWN).for_each(|_| health.failed());
        assert!(matches!(health.allowance(), Allowance::NotBefore(_)));
        clock.pass(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        assert!(
            matches!(health.allowance(), Allowance::NotBefore(_)),
            "the probe is out"
        );
        health.failed();
        clock.pass(1);
        assert_eq!(health.allowance(), Allowance::Probe);
        health.succeeded();
        assert_eq!(health.allowance(), Allowance::All);
    }

    #[test]
    fn pauses_grow_with_the_outage() {
        let (clock, health) = health();
        health.failed();
        assert_eq!(health.pause(), SHORTEST_PAUSE);
        clock.pass(60);
        assert_eq!(health.pause(), Duration::from_mins(1));
        clock.pass(3600);
        assert_eq!(health.pause(), LONGEST_PAUSE);
    }
}
