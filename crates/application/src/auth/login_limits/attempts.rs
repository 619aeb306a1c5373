use std::{collections::VecDeque, time::Duration};

use rapidphoto_domain::Timestamp;

/// Time for which attempts count.
pub(super) const WINDOW: Duration = Duration::from_mins(1);
/// Suggested delay when pending attempts exhaust a budget.
pub(super) const PENDING_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Attempts that count against one budget.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Start times of the counted attempts in the last minute.
    pub(super) counted: VecDeque<Timestamp>,
    /// Number of attempts without a result yet; each of them may be counted.
    pub(super) pending: usize,
}

impl Attempts {
    /// If `allowed` attempts are counted or pending, returns the time until the next one is allowed.
    pub(super) fn check(&mut self, allowed: usize, now: Timestamp) -> Result<(), Duration> {
        self.counted.retain(|at| *at + WINDOW > now);
        if self.counted.len() + self.pending < allowed {
            return Ok(());
        }
        let oldest = self.counted.front();
        let oldest = oldest.filter(|_| self.counted.len() >= allowed);
        let remaining = oldest.and_then(|oldest| (*oldest + WINDOW - now).to_std().ok());
        Err(remaining.unwrap_or(PENDING_RETRY_DELAY))
    }

    pub(super) fn are_recent(&self, now: Timestamp) -> bool {
        self.pending > 0 || self.counted.iter().any(|at| *at + WINDOW > now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending == 0 && self.counted.is_empty()
    }
}
