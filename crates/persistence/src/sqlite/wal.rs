//! Limit of the write-ahead log's size.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Integer,
};
use metrics::gauge;

/// Size of the write-ahead log in bytes above which it is emptied. SQLite's own checkpoints start the log anew only at a
/// moment without readers, which may never come while reads overlap.
pub(super) const WAL_LIMIT: u64 = 64 << 20;

/// Time in milliseconds that the writer waits for running reads, twice per attempt: for those that are behind, and for
/// those that still use the log. A longer read, such as that of a backup, delays the attempt to a later commit.
const READERS_TIMEOUT_MS: u32 = 250;

/// Empties the log when it exceeds its limit.
#[derive(Debug)]
pub(super) struct WalLimit {
    path: PathBuf,
    limit: u64,
    /// Size in bytes of the next attempt.
    next: u64,
    /// True if the log is to be emptied at any size.
    requested: bool,
}

impl WalLimit {
    /// Limit in bytes for the log of a database file.
    pub(super) fn new(database: &Path, limit: u64) -> Self {
        Self {
            path: beside(database, "-wal"),
            limit,
            next: limit,
            requested: false,
        }
    }

    /// Empties the log at the next opportunity, at any size: it keeps earlier contents of the database, erased data too,
    /// until they are overwritten.
    pub(super) const fn request(&mut self) {
        self.requested = true;
    }

    /// Called between transactions of the only writer.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 bytes")]
    pub(super) fn enforce(&mut self, connection: &mut SqliteConnection) {
        let mut bytes = fs::metadata(&self.path).map_or(0, |file| file.len());
        if bytes <= self.limit && !self.requested {
            self.next = self.limit;
        } else if bytes > self.next || self.requested {
            // After a failure a request is not repeated, so that a long read does not delay every commit.
            self.requested = false;
            match truncate(connection) {
                Ok(true) => {
                    bytes = 0;
                    self.next = self.limit;
                }
                Ok(false) => {
                    self.next = bytes.max(self.limit) + self.limit / 8;
                    if bytes > 4 * self.limit {
                        tracing::warn!(
                            bytes,
                            "the write-ahead log can't be emptied because of a long read, such as a backup's"
                        );
                    }
                }
                Err(error) => {
                    self.next = bytes.max(self.limit) + self.limit / 8;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        bytes,
                        "the write-ahead log can't be emptied"
                    );
                }
            }
        }
        gauge!("database_wal_bytes").set(bytes as f64);
    }
}

/// Name of a file that SQLite puts beside a database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Copies the log to the database and truncates it. Returns false if a read lasted too long.
fn truncate(connection: &mut SqliteConnection) -> diesel::QueryResult<bool> {
    connection.batch_execute(&format!("PRAGMA busy_timeout = {READERS_TIMEOUT_MS}"))?;
    let checkpoint =
        diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(connection);
    connection.batch_execute(super::connection::BUSY_TIMEOUT)?;
    Ok(checkpoint?.busy == 0)
}
