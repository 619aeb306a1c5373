use crate::{
    commit::Contended,
    ports::{BoxError, CommitError, Unavailable},
};

/// Why a piece of work was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// Somebody else has it, or nobody is to do it any more.
    #[error("the claim is no longer held")]
    Lost,
    /// Object storage does not answer: no fault of the photo.
    #[error(transparent)]
    Storage(Unavailable),
    /// The record does not answer: no fault of the photo.
    #[error(transparent)]
    Record(Unavailable),
    /// The photo was changed concurrently each time: no fault of the photo.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// It broke, and might be the photo's fault.
    #[error("an attempt broke")]
    Attempt(#[source] BoxError),
    /// The process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

impl WorkError {
    pub(super) fn attempt(why: impl Into<BoxError>) -> Self {
        Self::Attempt(why.into())
    }
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::StaleClaim { .. } => Self::Lost,
            other => Self::Record(other.into_unavailable()),
        }
    }
}
