use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rapidphoto_domain::{PhotoId, Timestamp};

use super::{
    backoff::MAX_BACKOFF,
    requests::{Blame, FAILURE_THRESHOLD, Operation, Requests},
};
use crate::ports::{Clock, WorkKind};

/// Circuit breaker for object storage, fed by the requests of this process: one for each kind of request, because each
/// can fail alone.
///
/// While storage is down it keeps workers from claiming work that they can't do and from overloading the store.
pub(super) struct StorageHealth {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: Requests,
    get: Requests,
    put: Requests,
    delete: Requests,
}

/// Limit on the work items of a kind that may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// As many as the worker pool has capacity for.
    All,
    /// One work item, which tests if storage is available again.
    Probe,
    /// None before this time has passed.
    NotBefore(Duration),
}

const MIN_RETRY_DELAY: Duration = Duration::from_secs(2);

impl StorageHealth {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Current limit on work of a kind. While a request that it needs is down, one probe is allowed per probe interval.
    pub(super) fn allowance(&self, kind: WorkKind) -> Allowance {
        self.with(|state, now| {
            let needed = operations(kind);
            let waits = needed
                .iter()
                .filter_map(|operation| state.of(*operation).until_probe(now));
            match waits.max() {
                None => Allowance::All,
                Some(Duration::ZERO) => {
                    for operation in needed {
                        state.of(*operation).begin_probe(now);
                    }
                    Allowance::Probe
                }
                Some(wait) => Allowance::NotBefore(wait),
            }
        })
    }

    /// Delay before work that failed because of storage is retried. It equals the duration of the outage so far, so
    /// that delays double.
    pub(super) fn retry_delay(&self, failed: Operation) -> Duration {
        self.with(|state, now| state.of(failed).outage(now).clamp(MIN_RETRY_DELAY, MAX_BACKOFF))
    }

    /// Cause of a storage error with which a photo's work ended.
    pub(super) fn blame(&self, photo: PhotoId, failed: Operation) -> Blame {
        self.with(|state, now| state.of(failed).blame(photo, now))
    }

    /// Forgets a photo's storage errors, because its work ended in another way or because they were counted.
    pub(super) fn forget(&self, photo: PhotoId) {
        self.with(|state, _| {
            let State {
                head,
                get,
                put,
                delete,
            } = state;
            for requests in [head, get, put, delete] {
                requests.forget(photo);
            }
        });
    }

    /// Records a successful request for an object of a photo.
    pub(super) fn succeeded(&self, operation: Operation, photo: PhotoId) {
        self.with(|state, _| state.of(operation).succeeded(photo));
    }

    pub(super) fn failed(&self, operation: Operation, photo: PhotoId) {
        if self.with(|state, now| state.of(operation).failed(photo, now)) {
            tracing::warn!(
                %operation, photos = FAILURE_THRESHOLD,
                "object storage is down: no work that needs it is claimed until a probe succeeds"
            );
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let now = self.clock.now();
        action(
            &mut self.state.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        )
    }
}

impl State {
    const fn of(&mut self, operation: Operation) -> &mut Requests {
        match operation {
            Operation::Head => &mut self.head,
            Operation::Get => &mut self.get,
            Operation::Put => &mut self.put,
            Operation::Delete => &mut self.delete,
        }
    }
}

/// Requests that work of a kind needs.
const fn operations(kind: WorkKind) -> &'static [Operation] {
    match kind {
        WorkKind::Look => &[Operation::Head],
        WorkKind::Process => &[Operation::Head, Operation::Get, Operation::Put],
        WorkKind::Clean => &[Operation::Delete],
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::requests::{MAX_PROBE_INTERVAL, UNCLEAR_AFTER},
        *,
    };

    const GET: Operation = Operation::Get;
    const PROCESS: WorkKind = WorkKind::Process;

    struct ManualClock(Mutex<Timestamp>);

    impl ManualClock {
        fn advance(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }

        fn set_back(&self, by: Duration) {
            *self.0.lock().unwrap() -= by;
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

    fn fail_all(health: &StorageHealth) {
        (0..FAILURE_THRESHOLD).for_each(|number| health.failed(GET, photo(number)));
    }

    #[test]
    fn a_few_failures_are_not_an_outage() {
        let (_, health) = health();
        (1..FAILURE_THRESHOLD).for_each(|number| health.failed(GET, photo(number)));
        assert_eq!(health.allowance(PROCESS), Allowance::All);
        health.succeeded(GET, photo(0));
        (1..FAILURE_THRESHOLD).for_each(|number| health.failed(GET, photo(number)));
        assert_eq!(health.allowance(PROCESS), Allowance::All);
    }

    #[test]
    fn failures_of_one_photo_are_not_an_outage() {
        let (_, health) = health();
        (0..100).for_each(|_| health.failed(GET, photo(1)));
        assert_eq!(health.allowance(PROCESS), Allowance::All);
    }

    #[test]
    fn while_storage_is_down_one_work_item_at_a_time_probes_it() {
        let (clock, health) = health();
        fail_all(&health);
        assert!(matches!(health.allowance(PROCESS), Allowance::NotBefore(_)));
        clock.advance(1);
        assert_eq!(health.allowance(PROCESS), Allowance::Probe);
        assert!(
            matches!(health.allowance(PROCESS), Allowance::NotBefore(_)),
            "the probe is already in progress"
        );
        health.failed(GET, photo(1));
        clock.advance(1);
        assert_eq!(health.allowance(PROCESS), Allowance::Probe);
        health.succeeded(GET, photo(1));
        assert_eq!(health.allowance(PROCESS), Allowance::All);
    }

    #[test]
    fn an_outage_of_one_request_stops_the_work_that_needs_it_and_no_other() {
        let (_, health) = health();
        fail_all(&health);
        health.succeeded(Operation::Head, photo(9));
        assert!(matches!(health.allowance(PROCESS), Allowance::NotBefore(_)));
        assert_eq!(health.allowance(WorkKind::Look), Allowance::All);
        assert_eq!(health.allowance(WorkKind::Clean), Allowance::All);
    }

    #[test]
    fn a_clock_that_is_set_back_delays_no_probe() {
        let (clock, health) = health();
        fail_all(&health);
        clock.advance(600);
        health.failed(GET, photo(1));
        clock.set_back(UNCLEAR_AFTER);
        assert_eq!(health.allowance(PROCESS), Allowance::Probe);
        health.failed(GET, photo(1));
        let Allowance::NotBefore(wait) = health.allowance(PROCESS) else {
            panic!("the probe has just failed");
        };
        assert!(wait <= MAX_PROBE_INTERVAL, "{wait:?}");
    }

    #[test]
    fn retry_delays_grow_with_the_outage() {
        let (clock, health) = health();
        health.failed(GET, photo(1));
        assert_eq!(health.retry_delay(GET), MIN_RETRY_DELAY);
        clock.advance(60);
        assert_eq!(health.retry_delay(GET), Duration::from_mins(1));
        assert_eq!(health.retry_delay(Operation::Put), MIN_RETRY_DELAY);
        clock.advance(3600);
        assert_eq!(health.retry_delay(GET), MAX_BACKOFF);
    }

    #[test]
    fn an_object_is_to_blame_if_the_same_request_succeeded_for_others_meanwhile() {
        let (clock, health) = health();
        let [one, two] = [1, 2].map(PhotoId::from_bits);
        let blame = || health.blame(one, GET);
        health.succeeded(GET, two);
        assert_eq!(blame(), Blame::Storage, "the first error");
        assert_eq!(blame(), Blame::Storage, "nothing was reachable since");
        health.succeeded(GET, one);
        assert_eq!(blame(), Blame::Storage, "only its own objects were reachable");
        health.succeeded(Operation::Head, two);
        health.succeeded(Operation::Put, two);
        assert_eq!(
            blame(),
            Blame::Storage,
            "other requests say nothing about this one"
        );
        health.succeeded(GET, two);
        health.succeeded(GET, one);
        assert_eq!(blame(), Blame::Object);
        health.forget(one);
        assert_eq!(blame(), Blame::Storage, "counted once");
        clock.advance(3599);
        assert_eq!(blame(), Blame::Storage);
        clock.advance(1);
        assert_eq!(blame(), Blame::Unclear);
        health.failed(GET, one);
        health.failed(GET, two);
        assert_eq!(blame(), Blame::Storage, "another photo fails too");
    }
}
