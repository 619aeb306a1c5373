use rapidphoto_application::ports::{CommitError, Unavailable};

use crate::error::StoreError;

/// Reason why a commit was not written: rejected by a check, or failed in the database.
pub(super) enum Failure {
    Rejected(CommitError),
    Database(StoreError),
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::Rejected(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Database(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rejected(error) => error,
            Failure::Database(error) => Self::Unavailable(Unavailable::from(error)),
        }
    }
}
