use std::sync::Arc;

use async_trait::async_trait;
use metrics::histogram;
use tokio::time::Instant;

use super::{Signals, event_counts::EventCounts, outcome_lines::OutcomeLines};
use crate::ports::{Commit, CommitError, Committed, EventLog, Journal};

/// Journal that signals each successful commit to workers and to followers of the log, counts its events in the metrics,
/// and logs what they mean for jobs and photos.
pub struct SignallingJournal {
    inner: Arc<dyn Journal>,
    log: Arc<dyn EventLog>,
    signals: Signals,
}

impl SignallingJournal {
    /// Wraps `inner`; `log` has the same events.
    pub fn new(inner: Arc<dyn Journal>, log: Arc<dyn EventLog>, signals: Signals) -> Self {
        EventCounts::register();
        Self { inner, log, signals }
    }
}

#[async_trait]
impl Journal for SignallingJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let work_is_due = commit.wakes_workers();
        let counts = EventCounts::of(&commit);
        let lines = OutcomeLines::of(&commit);
        let started = Instant::now();
        let committed = self.inner.commit(commit).await;
        histogram!("log_commit_seconds").record(started.elapsed());
        let committed = committed?;
        if work_is_due {
            self.signals.work_committed();
        }
        self.signals.log_committed();
        if !committed.repeated {
            counts.record();
            lines.write(&*self.log).await;
        }
        Ok(committed)
    }
}
