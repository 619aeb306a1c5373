//! CPU time of the current thread, for guards against hanging: it does not grow while a busy machine runs
//! other threads.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A stopwatch of the thread's CPU time.
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    pub(crate) fn start() -> Self {
        Self(Self::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().saturating_sub(self.0)
    }

    fn now() -> Duration {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("time that has passed")
    }
}
