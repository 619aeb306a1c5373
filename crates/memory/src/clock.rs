use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::DateTime;
use rapidphoto_application::ports::Clock;
use rapidphoto_domain::Timestamp;

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    /// A clock that shows this moment, to the millisecond.
    pub fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.timestamp_millis()))
    }

    /// Shows another moment from now on.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.timestamp_millis(), Ordering::SeqCst);
    }

    /// Moves on, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    /// The beginning of 2026.
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
