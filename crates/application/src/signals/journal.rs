use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics::histogram;
use tokio::time::Instant;

use super::{Signals, tally};
use crate::ports::{Commit, CommitError, Committed, Journal, WorkOrder};

/// A journal that tells of what it has written: work to workers, events to those who follow the log, both to metrics.
pub struct SignallingJournal {
    inner: Arc<dyn Journal>,
    signals: Signals,
}

/// Workers are told of work that is due before they would look by themselves.
const SOON: Duration = Duration::from_secs(10);

impl SignallingJournal {
    /// Tells of what `inner` writes.
    pub const fn new(inner: Arc<dyn Journal>, signals: Signals) -> Self {
        Self { inner, signals }
    }
}

#[async_trait]
impl Journal for SignallingJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let at = commit.at;
        let work_is_due = commit.work.iter().any(|order| match order {
            WorkOrder::Schedule { due_at, .. } | WorkOrder::Postpone { due_at, .. } => *due_at <= at + SOON,
            WorkOrder::Finish { .. } | WorkOrder::Drop { .. } => false,
        });
        let tally = tally::Tally::of(&commit);
        let begun = Instant::now();
        let committed = self.inner.commit(commit).await;
        histogram!("log_commit_seconds").record(begun.elapsed());
        let committed = committed?;
        if work_is_due {
            self.signals.work_committed();
        }
        self.signals.log_committed(committed.cursor);
        if !committed.repeated {
            tally.count();
        }
        Ok(committed)
    }
}
