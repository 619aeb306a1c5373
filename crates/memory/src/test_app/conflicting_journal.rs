use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::ports::{Commit, CommitError, Committed, Journal};
use rapidphoto_domain::StreamId;

/// Journal on which each commit that changes nothing but a job has a version conflict, as if another process had always
/// committed first.
pub struct ConflictingJournal(pub Arc<dyn Journal>);

#[async_trait]
impl Journal for ConflictingJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        if let [change] = commit.changes.as_slice()
            && matches!(change.stream, StreamId::Job(_))
        {
            return Err(CommitError::Conflict(Vec::new()));
        }
        self.0.commit(commit).await
    }
}
