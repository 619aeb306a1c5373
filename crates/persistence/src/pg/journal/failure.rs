use rapidphoto_application::ports::ClaimToken;

use crate::{
    error::StoreError,
    pg::error::{Refused, refused},
};

/// Reason why a commit was not written: refused by a check or a unique index, or failed in the database.
pub(super) enum Failure {
    Refused(Refusal),
    Database(StoreError),
}

/// Check that a commit did not pass.
pub(super) enum Refusal {
    Versions,
    Claim(ClaimToken),
    Checkpoint,
    IdempotencyKey,
    /// A unique index or key, by its name.
    Taken(String),
    /// Other transactions beside this one.
    Contention,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Database(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        match refused(&error) {
            Some(Refused::Taken(index)) => Self::Refused(Refusal::Taken(index.to_owned())),
            Some(Refused::Contention) => Self::Refused(Refusal::Contention),
            None => Self::Database(error.into()),
        }
    }
}
