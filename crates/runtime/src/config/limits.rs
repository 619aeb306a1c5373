use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Jobs a user may create per minute.
    pub jobs_per_minute: u32,
    /// Progress reports a user may send per second.
    pub progress_per_second: u32,
    /// All other requests a user may send per second.
    pub requests_per_second: u32,
    /// Requests without an access token that one network may send per second.
    pub anonymous_requests_per_second: u32,
    /// Photos of a user that have not ended; 0 for any number.
    pub open_photos: u64,
    /// Bytes of a user's photos; 0 for any number.
    pub stored_bytes: u64,
    /// Photos a user may create on one day in UTC; 0 for any number.
    pub photos_per_day: u64,
    /// Time that a photo may wait for processing before its owner's jobs are refused; 0s for any time.
    #[serde(with = "humantime_serde")]
    pub max_work_age: Duration,
    /// Event streams a user may have open at once.
    pub streams: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            jobs_per_minute: 10,
            progress_per_second: 20,
            requests_per_second: 50,
            anonymous_requests_per_second: 50,
            open_photos: 10_000,
            stored_bytes: 1 << 40,
            photos_per_day: 50_000,
            max_work_age: Duration::from_hours(1),
            streams: 10,
        }
    }
}
