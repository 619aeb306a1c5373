use std::time::Duration;

use rapidphoto_domain::Timestamp;

use crate::ports::Ids;

/// The longest pause before a piece of work is tried again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// A random part of `whole`, so that what failed together is not tried again together.
pub(super) fn part_of(whole: Duration, ids: &dyn Ids) -> Duration {
    // The low bits of a ULID are random.
    let [first, second, third, fourth, ..] = ids.ulid().to_le_bytes();
    let share = f64::from(u32::from_le_bytes([first, second, third, fourth])) / f64::from(u32::MAX);
    whole.mul_f64(share)
}

/// The pause after the `failures`-th failure in a row: `first`, doubled each time, with jitter of up to half of it.
pub(super) fn doubling(first: Duration, failures: u32, ids: &dyn Ids) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let pause = doubled.min(LONGEST_PAUSE);
    pause + part_of(pause / 2, ids)
}

/// A moment after another, in whole milliseconds as the record keeps them.
pub(super) fn after(at: Timestamp, pause: Duration) -> Timestamp {
    at + Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Chance(u128);

    impl Ids for Chance {
        fn ulid(&self) -> u128 {
            self.0
        }

        fn secret(&self) -> [u8; 32] {
            [0; 32]
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses = [1, 2, 3, 100].map(|failures| doubling(Duration::from_secs(2), failures, &Chance(0)));
        assert_eq!(pauses, [2, 4, 8, 300].map(Duration::from_secs));
        let longest = doubling(Duration::from_secs(2), 2, &Chance(u128::MAX));
        assert_eq!(longest, Duration::from_secs(6));
    }
}
