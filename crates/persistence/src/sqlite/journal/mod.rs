//! Commits. The caller's task prepares the rows; the writer checks and writes them.

mod checks;
mod details;
mod events;
mod failure;
mod idempotency;
mod insert;
mod states;
mod tags;
mod update;
mod words;
mod work;

use async_trait::async_trait;
use diesel::SqliteConnection;
use rapidphoto_application::ports::{Commit, CommitError, Committed, Journal};
use rapidphoto_domain::Timestamp;

use self::failure::Failure;
pub(super) use self::{events::head, words::add as add_words};
use super::SqliteStore;
use crate::commit::Prepared;

#[async_trait]
impl Journal for SqliteStore {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        commit.validate()?;
        let prepared = Prepared::new(&self.namespace, commit, &self.codec)?;
        let clock = self.clock.clone();
        let written = self
            .write(move |connection, namespace| write(connection, namespace, &prepared, clock.now()))
            .await;
        written.map_err(CommitError::from)
    }
}

/// Checks in the order that the port documents, then writes. `now` is the time of the database's clock. If a check fails midway, the savepoint is rolled back.
fn write(
    connection: &mut SqliteConnection,
    namespace: &str,
    commit: &Prepared,
    now: Timestamp,
) -> Result<Committed, Failure> {
    if let Some(cursor) = checks::repeated(connection, namespace, commit)? {
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
    tags::write(connection, &commit.tags)?;
    words::write(connection, namespace, &commit.words)?;
    details::write(connection, namespace, &commit.details)?;
    if let Some(row) = &commit.idempotency {
        idempotency::write(connection, row, commit.at)?;
    }
    work::write(connection, namespace, &commit.work, now)?;
    events::write(connection, &commit.events)?;
    Ok(Committed {
        cursor: events::head(connection, namespace)?,
        repeated: false,
    })
}
