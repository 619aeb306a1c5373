use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics::histogram;
use tokio::time::Instant;

use super::{Signals, event_counts::EventCounts, outcome_lines::OutcomeLines};
use crate::ports::{Commit, CommitError, Committed, EventLog, Journal, WorkOrder};

/// Journal that signals each successful commit to workers and to followers of the log, counts its events in the metrics,
/// and logs what they mean for jobs and photos.
pub struct SignallingJournal {
    inner: Arc<dyn Journal>,
    log: Arc<dyn EventLog>,
    signals: Signals,
}

/// Workers are woken for work that is due within this time; they find later work by polling.
const WAKE_UP_HORIZON: Duration = Duration::from_secs(10);

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
        let work_is_due = commit.work.iter().any(|order| match order {
            WorkOrder::Schedule { due, .. } | WorkOrder::Postpone { due, .. } => {
                due.delay() <= WAKE_UP_HORIZON
            }
            WorkOrder::Finish { .. } | WorkOrder::Drop { .. } => false,
        });
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
