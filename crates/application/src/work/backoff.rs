use std::time::Duration;

use rapidphoto_domain::Timestamp;

use crate::ports::Ids;

/// Shortest interval between two polls of the queue.
pub(super) const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Delay after the first failed poll; it doubles with each further one.
pub(super) const INITIAL_POLL_BACKOFF: Duration = Duration::from_millis(250);
/// Longest delay after a failed poll.
pub(super) const MAX_POLL_BACKOFF: Duration = Duration::from_secs(10);

/// Longest delay before a work item is tried again, without jitter.
pub(super) const MAX_BACKOFF: Duration = Duration::from_mins(5);

/// Longest delay before `process` work is tried again, with jitter.
pub const LONGEST_RETRY_DELAY: Duration = Duration::from_secs(MAX_BACKOFF.as_secs() / 2 * 3);

/// Random duration between zero and `max`. Work items that failed together are then not retried together.
pub(super) fn jitter(max: Duration, ids: &dyn Ids) -> Duration {
    // The low bits of a ULID are random.
    let [first, second, third, fourth, ..] = ids.ulid().to_le_bytes();
    let share = f64::from(u32::from_le_bytes([first, second, third, fourth])) / f64::from(u32::MAX);
    max.mul_f64(share)
}

/// Delay after `failures` failures in a row: `first` doubled for each further failure, at most [`MAX_BACKOFF`], plus
/// jitter of up to half of that.
pub(super) fn exponential(first: Duration, failures: u32, ids: &dyn Ids) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let delay = doubled.min(MAX_BACKOFF);
    delay + jitter(delay / 2, ids)
}

/// Time `delay` after `at`. The delay is truncated to whole milliseconds, the precision of the database.
pub(super) fn after(at: Timestamp, delay: Duration) -> Timestamp {
    at + Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FixedIds(u128);

    impl Ids for FixedIds {
        fn ulid(&self) -> u128 {
            self.0
        }

        fn secret(&self) -> [u8; 32] {
            [0; 32]
        }
    }

    #[test]
    fn delays_double_up_to_a_limit() {
        let delays =
            [1, 2, 3, 100].map(|failures| exponential(Duration::from_secs(2), failures, &FixedIds(0)));
        assert_eq!(delays, [2, 4, 8, 300].map(Duration::from_secs));
        let longest = exponential(Duration::from_secs(2), 2, &FixedIds(u128::MAX));
        assert_eq!(longest, Duration::from_secs(6));
    }
}
