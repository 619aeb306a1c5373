//! Commits: prepared where the caller is, checked and written by the writer.

mod checks;
mod details;
mod events;
mod idempotency;
mod prepared;
mod states;
mod work;

use async_trait::async_trait;
use diesel::SqliteConnection;
use rapidphoto_application::ports::{Commit, CommitError, Committed, Journal, Unavailable};

use self::prepared::Prepared;
use super::SqliteStore;
use crate::error::RecordError;

#[async_trait]
impl Journal for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let prepared = Prepared::new(&self.namespace, commit, &self.codec)?;
        let written = self
            .write(move |connection, namespace| write(connection, namespace, &prepared))
            .await;
        written.map_err(CommitError::from)
    }
}

/// Checks in the order that the port gives, then writes. Whatever is refused midway, the savepoint takes back.
fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    commit: &Prepared,
) -> Result<Committed, Failure> {
    if let Some(cursor) = checks::repeated(connection, namespace, &commit.events, &commit.event_ids)? {
        return Ok(Committed {
            cursor,
            repeated: true,
        });
    }
    checks::versions(connection, namespace, &commit.expected)?;
    checks::claims(connection, namespace, &commit.work.claims)?;
    if let Some(advance) = &commit.checkpoint {
        checks::advance(connection, namespace, advance)?;
    }
    states::write(connection, namespace, commit)?;
    details::write(connection, namespace, &commit.details)?;
    if let Some(row) = &commit.idempotency {
        idempotency::write(connection, row, commit.at)?;
    }
    work::write(connection, namespace, &commit.work)?;
    events::write(connection, &commit.events)?;
    Ok(Committed {
        cursor: events::head(connection, namespace)?,
        repeated: false,
    })
}

/// Why a commit was not written: refused, or not to be answered for.
enum Failure {
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

/// Inserts rows: a single one by a statement that is prepared once per connection, more of them by one statement for as
/// many as it can bind.
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr, $binds:expr) => {
        $crate::sqlite::journal::insert_all!($connection, diesel::insert_into($table), $rows, $binds, with)
    };
    ($connection:expr, $into:expr, $rows:expr, $binds:expr, with) => {{
        let rows: &[_] = $rows;
        match rows {
            [] => Ok(()),
            [row] => $into.values(row).execute($connection).map(drop),
            rows => rows
                .chunks($crate::sqlite::MAX_BINDS / $binds)
                .try_for_each(|chunk| $into.values(chunk).execute($connection).map(drop)),
        }
    }};
}
pub(super) use self::events::head;
use insert_all;
