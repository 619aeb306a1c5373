//! How much this thread has worked, for guards against hanging: on a busy machine it waits longer, but works no more.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A stopwatch that runs only while this thread does.
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
