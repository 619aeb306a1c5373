use std::time::Duration;

use tokio::time::Instant;

/// Least average throughput of a transfer for which the other side is awaited, in bytes per second: a tenth of what
/// EDGE, the slowest mobile network in use, delivers.
pub const MIN_BYTES_PER_SECOND: u64 = 1024;

/// Throughput of a transfer, measured over the time spent waiting for the other side.
///
/// Time in which nothing is to be transferred does not count, so that streams and slow disks are never too slow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    waiting_since: Option<Instant>,
    /// Completed waits of the current period.
    waited: Duration,
    /// Bytes transferred in the current period.
    bytes: u64,
}

impl Pace {
    /// The transfer waits for the other side from now on, unless it already did.
    pub(crate) fn wait(&mut self, now: Instant) {
        self.waiting_since.get_or_insert(now);
    }

    /// Bytes were transferred, which ends a wait.
    pub(crate) fn progress(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += now - since;
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Returns true if the transfer waited for `period` in which it did not reach [`MIN_BYTES_PER_SECOND`]. After a
    /// period in which it did, the measurement begins anew.
    pub(crate) fn is_too_slow(&mut self, period: Duration, now: Instant) -> bool {
        let waiting = self.waiting_since.map_or(Duration::ZERO, |since| now - since);
        let waited = self.waited + waiting;
        if waited < period {
            return false;
        }
        let too_slow = u128::from(self.bytes) * 1000 < u128::from(MIN_BYTES_PER_SECOND) * waited.as_millis();
        *self = Self {
            waiting_since: self.waiting_since.map(|_| now),
            ..Self::default()
        };
        too_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    fn transfer(bytes: usize, interval: Duration) -> bool {
        let mut pace = Pace::default();
        let mut now = Instant::now();
        for _ in 0..1000 {
            pace.wait(now);
            now += interval;
            if pace.is_too_slow(PERIOD, now) {
                return false;
            }
            pace.progress(bytes, now);
        }
        true
    }

    #[test]
    fn a_transfer_without_progress_is_too_slow() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.wait(now);
        assert!(!pace.is_too_slow(PERIOD, now + PERIOD / 2));
        assert!(pace.is_too_slow(PERIOD, now + PERIOD));
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow_and_a_slow_network_is_not() {
        assert!(!transfer(1, Duration::from_secs(20)));
        assert!(!transfer(10, Duration::from_millis(100)));
        assert!(transfer(32 * 1024, Duration::from_secs(16)));
    }

    #[test]
    fn time_without_anything_to_transfer_does_not_count() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..100 {
            pace.wait(now);
            now += Duration::from_millis(10);
            pace.progress(1, now);
            now += Duration::from_mins(1);
            assert!(!pace.is_too_slow(PERIOD, now));
        }
    }
}
