//! Commits, in three round trips whatever their number of photos: locks and checks; all writes; COMMIT.
//!
//! Every row that a commit depends on is locked before anything is decided, table by table, in the order of the ids: of two
//! commits that each write what the other guards, one waits and then finds another version. The order of locks is the same
//! in every commit: idempotency record, users, jobs, photos, subscription, work, then new rows.
//!
//! A refused commit is looked up in the log afterwards: only a refused one can be the repetition of a stored one.

mod details;
mod events;
mod failure;
mod locks;
mod refusal;
mod scope;
mod states;
mod tags;
mod words;
mod work;

use async_trait::async_trait;
use diesel_async::AsyncPgConnection;
use futures::try_join;
use rapidphoto_application::ports::{Commit, CommitError, Committed, Cursor, Journal, Unavailable};

pub(super) use self::{
    details::WriteDetails,
    events::AppendEvents,
    states::{InsertJobs, InsertPhotos},
    work::ScheduleWork,
};
use self::{failure::Failure, scope::Scope};
use super::{PgStore, pool::Connections, transaction::Transaction};
use crate::{commit::Prepared, error::StoreError};

#[async_trait]
impl Journal for PgStore {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        commit.validate()?;
        let wakes_workers = commit.wakes_workers();
        let prepared = Prepared::new(&self.namespace, commit, &self.codec)?;
        let scope = Scope {
            namespace: self.namespace.to_string(),
            test_now: self.test_now(),
        };
        let connections = self.connections.clone();
        let commits = self.commits.clone();
        let running = self.running_commits.clone().read_owned().await;
        // A task of its own: if the caller's future is dropped, the commit is written in full or not at all.
        let writing = tokio::spawn(async move {
            let committed = write(&connections, &scope, &prepared).await;
            if committed.is_ok() {
                commits.announce(wakes_workers);
            }
            drop(running);
            committed
        });
        writing
            .await
            .unwrap_or_else(|error| Err(Unavailable::from(StoreError::from(error)).into()))
    }
}

async fn write(
    connections: &Connections,
    scope: &Scope,
    commit: &Prepared,
) -> Result<Committed, CommitError> {
    let connection = connections.get().await.map_err(Unavailable::from)?;
    let transaction = Transaction::on(connection);
    let refusal = match attempt(&transaction, scope, commit).await {
        Ok(cursor) => {
            drop(transaction.commit().await.map_err(unavailable)?);
            return Ok(Committed {
                cursor,
                repeated: false,
            });
        }
        Err(Failure::Refused(refusal)) => refusal,
        Err(Failure::Database(error)) => {
            // Keeps the connection if it is intact, as after a time-out. Otherwise it is closed.
            let _ = transaction.rollback().await;
            return Err(Unavailable::from(error).into());
        }
    };
    let connection = transaction.rollback().await.map_err(unavailable)?;
    refusal::explain(&connection, scope, commit, refusal).await
}

fn unavailable(error: diesel::result::Error) -> CommitError {
    Unavailable::from(StoreError::from(error)).into()
}

/// Checks and writes the commit; returns its cursor. The caller ends the transaction.
async fn attempt(transaction: &Transaction, scope: &Scope, commit: &Prepared) -> Result<Cursor, Failure> {
    let connection = transaction.connection()?;
    locks::lock_and_check(transaction, connection, scope, commit).await?;
    write_rows(connection, scope, commit).await
}

async fn write_rows(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
) -> Result<Cursor, Failure> {
    let dates = details::Dates::of(commit);
    let ((), (), (), (), (), cursor) = try_join!(
        states::write(connection, scope, commit, &dates),
        details::write(connection, scope, commit, &dates),
        tags::write(connection, scope, &commit.tags),
        words::write(connection, scope, &commit.words),
        work::write(connection, scope, &commit.work),
        events::write(connection, scope, commit),
    )?;
    Ok(cursor)
}
