use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::ports::{Change, Commit, CommitError, Committed, Journal};
use rapidphoto_domain::{StreamId, Version};

/// Journal on which each commit that changes an existing job has a version conflict, as if another process had always
/// committed first.
pub struct ConflictingJournal(pub Arc<dyn Journal>);

#[async_trait]
impl Journal for ConflictingJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let changes_a_job =
            |change: &Change| matches!(change.stream, StreamId::Job(_)) && change.expected != Version::NEW;
        if commit.changes.iter().any(changes_a_job) {
            return Err(CommitError::Conflict(Vec::new()));
        }
        self.0.commit(commit).await
    }
}
