use super::requests::Operation;
use crate::{
    commit::Contended,
    ports::{BoxError, CommitError, Unavailable},
};

/// Reasons why a work item was not finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// Another worker claimed the work item, or it was dropped or scheduled again.
    #[error("the claim is no longer held")]
    Lost,
    /// Object storage is unavailable: not the photo's fault.
    #[error("{operation} failed")]
    Storage {
        operation: Operation,
        #[source]
        why: Unavailable,
    },
    /// The database is unavailable: not the photo's fault.
    #[error(transparent)]
    Database(Unavailable),
    /// No photo can be inspected: not the photo's fault.
    #[error(transparent)]
    Inspection(Unavailable),
    /// The photo was changed concurrently at every attempt to commit: not the photo's fault.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The attempt failed, possibly because of the photo.
    #[error("the attempt failed")]
    Attempt(#[source] BoxError),
    /// The process is shutting down.
    #[error("the process is shutting down")]
    Stopping,
}

impl WorkError {
    /// Conversion of the error of such a request.
    pub(super) fn storage(operation: Operation) -> impl FnOnce(Unavailable) -> Self {
        move |why| Self::Storage { operation, why }
    }

    pub(super) fn attempt(why: impl Into<BoxError>) -> Self {
        Self::Attempt(why.into())
    }
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::StaleClaim { .. } => Self::Lost,
            other => Self::Database(other.into_unavailable()),
        }
    }
}
