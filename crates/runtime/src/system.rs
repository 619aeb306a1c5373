//! System time and randomness. Everything else receives them through the ports `Clock` and `Ids`.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use rand::{RngCore as _, TryRngCore as _, rngs::OsRng};
use rapidphoto_application::ports::{Clock, Ids};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(std::time::SystemTime::now()).trunc_subsecs(3)
    }
}

/// Clock that runs evenly from a start: steps of the system's clock while the process runs don't move it. It stands still
/// while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SteadyClock {
    start: DateTime<Utc>,
    started: Instant,
}

impl SteadyClock {
    /// A clock that shows the time of `clock` now.
    pub(crate) fn started_by(clock: &dyn Clock) -> Self {
        Self {
            start: clock.now(),
            started: Instant::now(),
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        (self.start + self.started.elapsed()).trunc_subsecs(3)
    }
}

/// Monotonic ULIDs and secrets from a clock and the operating system's randomness.
pub struct SystemIds {
    clock: Arc<dyn Clock>,
    last: Mutex<u128>,
}

/// Bits of a ULID below its timestamp.
const RANDOM_BITS: u32 = 80;

impl SystemIds {
    /// Identifiers with timestamps of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            last: Mutex::new(0),
        }
    }

    fn fresh(&self) -> u128 {
        // A clock set before 1970 is wrong; identifiers still increase.
        let milliseconds = u128::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let mut random = [0; 16];
        fill(&mut random);
        (milliseconds << RANDOM_BITS) | (u128::from_ne_bytes(random) >> (u128::BITS - RANDOM_BITS))
    }
}

impl Ids for SystemIds {
    fn ulid(&self) -> u128 {
        let fresh = self.fresh();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Within a millisecond, or if the clock was set back: the previous one plus one (ULID specification, monotonicity).
        *last = fresh.max(last.saturating_add(1));
        *last
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        fill(&mut secret);
        secret
    }
}

/// Panics if the operating system has no randomness: without it nothing is secret.
fn fill(bytes: &mut [u8]) {
    OsRng.unwrap_err().fill_bytes(bytes);
}

impl fmt::Debug for SystemIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemIds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::atomic::{AtomicI64, Ordering},
    };

    use super::*;

    struct SettableClock(AtomicI64);

    impl Clock for SettableClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[test]
    fn clock_times_are_whole_milliseconds() {
        for _ in 0..1000 {
            assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000_000, 0);
        }
        assert!(SystemClock.now().timestamp() > 1_700_000_000);
    }

    #[test]
    fn identifiers_increase_even_if_the_clock_stands_still_or_is_set_back() {
        let clock = Arc::new(SettableClock(AtomicI64::new(1_772_360_430_987)));
        let ids = SystemIds::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let mut last = 0;
        for step in [0, 1, -5000, 0, 10_000] {
            clock.0.fetch_add(step, Ordering::SeqCst);
            for _ in 0..1000 {
                let next = ids.ulid();
                assert!(next > last);
                last = next;
            }
        }
        assert_eq!(
            last >> RANDOM_BITS,
            1_772_360_435_988,
            "a later millisecond has a new timestamp and new randomness"
        );
    }

    #[test]
    fn concurrently_generated_identifiers_differ() {
        let ids = SystemIds::new(Arc::new(SystemClock));
        let generated: Vec<u128> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1000).map(|_| ids.ulid()).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(generated.iter().collect::<HashSet<_>>().len(), 8000);
    }

    #[test]
    fn secrets_are_random() {
        let ids = SystemIds::new(Arc::new(SystemClock));
        let secrets: HashSet<_> = (0..100).map(|_| ids.secret()).collect();
        assert_eq!(secrets.len(), 100);
        let ones: u32 = secrets.iter().flatten().map(|byte| byte.count_ones()).sum();
        // 25 600 fair bits: 12 standard deviations around one half.
        assert!((11_840..13_760).contains(&ones), "{ones}");
    }
}
