use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::DateTime;
use rapidphoto_application::ports::Clock;
use rapidphoto_domain::Timestamp;

/// A clock that changes only when a test sets or advances it.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// A clock set to a time, in whole milliseconds.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.timestamp_millis()))
    }

    /// Sets the time.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.timestamp_millis(), Ordering::SeqCst);
    }

    /// Advances the time, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    /// Starts at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
