//! Conversions of counts and timestamps to and from the database's only integer type.

use std::time::Duration;

use chrono::DateTime;
use rapidphoto_domain::Timestamp;

/// A count as the database's integer. Counts beyond it saturate; they are greater than any stored value.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored count; these are never negative.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A stored count that fits in 32 bits; greater values saturate.
pub(crate) fn small_count(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// A number of rows for a LIMIT clause.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A timestamp in milliseconds since 1970.
pub(crate) const fn millis(timestamp: Timestamp) -> i64 {
    timestamp.timestamp_millis()
}

/// A stored timestamp. Values outside the calendar's range saturate.
pub(crate) fn timestamp(millis: i64) -> Timestamp {
    DateTime::from_timestamp_millis(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN_UTC
    } else {
        Timestamp::MAX_UTC
    })
}

/// A timestamp in milliseconds since 1970, moved later by a duration.
pub(crate) fn millis_after(timestamp: Timestamp, delay: Duration) -> i64 {
    millis(timestamp).saturating_add(millis_of(delay))
}

/// A duration in whole milliseconds.
pub(crate) fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
