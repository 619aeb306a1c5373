use rapidphoto_application::ports::{CommitError, Unavailable};

use crate::error::RecordError;

/// Why a commit was not written: refused, or not to be answered for.
pub(super) enum Failure {
    Refused(CommitError),
    Record(RecordError),
}

impl From<CommitError> for Failure {
    fn from(refusal: CommitError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Record(error.into())
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Record(error) => Self::Unavailable(Unavailable::from(error)),
        }
    }
}
