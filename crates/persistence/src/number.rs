//! Numbers and moments between the domain's types and the database's one integer type.

use std::time::Duration;

use chrono::DateTime;
use rapidphoto_domain::Timestamp;

/// A count as the database's integer. What is beyond it is beyond everything that is stored.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored count, of which none is negative.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A stored count that fits in 32 bits.
pub(crate) fn small_count(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// A number of rows as a LIMIT.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A moment in milliseconds.
pub(crate) const fn millis(moment: Timestamp) -> i64 {
    moment.timestamp_millis()
}

/// A stored moment; one that no calendar reaches is the nearest that it does.
pub(crate) fn moment(millis: i64) -> Timestamp {
    DateTime::from_timestamp_millis(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN_UTC
    } else {
        Timestamp::MAX_UTC
    })
}

/// A moment in milliseconds, so much later.
pub(crate) fn millis_after(moment: Timestamp, pause: Duration) -> i64 {
    let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    millis(moment).saturating_add(pause)
}
