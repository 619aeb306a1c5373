use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::{Advance, Commit, CommitError, Committed, Journal, WritePorts};

/// Journal of a reaction: a commit without a checkpoint of its own carries the lease's fencing token, so that a runner
/// that lost its lease writes nothing.
struct FencedJournal {
    journal: Arc<dyn Journal>,
    /// Advance from the lease's position to the same position.
    fence: Advance,
}

#[async_trait]
impl Journal for FencedJournal {
    async fn commit(&self, mut commit: Commit) -> Result<Committed, CommitError> {
        commit.checkpoint.get_or_insert(self.fence);
        self.journal.commit(commit).await
    }
}

impl WritePorts {
    /// These ports with a journal whose commits carry the fencing token of `advance`, without moving the position.
    pub(super) fn fenced(&self, advance: Advance) -> Self {
        let fence = Advance {
            to: advance.from,
            ..advance
        };
        let journal = Arc::new(FencedJournal {
            journal: Arc::clone(&self.journal),
            fence,
        });
        Self {
            journal,
            ..self.clone()
        }
    }
}
