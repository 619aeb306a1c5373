use std::time::Duration;

/// Pauses between attempts, which double up to a maximum.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

const INITIAL: Duration = Duration::from_millis(250);
const MAX: Duration = Duration::from_secs(10);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(INITIAL)
    }

    /// Pause before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (self.0 * 2).min(MAX);
        pause
    }
}
