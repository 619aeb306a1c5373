//! Connections, and how each is set up.

use std::{
    fs, io,
    path::{Path, PathBuf, absolute},
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Text,
};

use super::OpenError;
use crate::error::RecordError;

/// What every connection is set up with.
///
/// `synchronous=FULL` is what makes an answered commit one that a power cut can't take back: in WAL mode, NORMAL would
/// sync at checkpoints only. The time-out is for other processes on the same file; within one there is one writer.
const EVERYWHERE: &str = "PRAGMA busy_timeout = 5000;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA recursive_triggers = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -8192;";

/// What the writer is set up with besides. The limit gives disk space back after a burst.
const WRITER: &str = "PRAGMA journal_size_limit = 67108864;";

/// What readers are set up with besides.
const READER: &str = "PRAGMA query_only = ON;";

/// Where a database is, in the form that SQLite takes.
#[derive(Debug, Clone)]
pub(super) struct Location(String);

impl Location {
    /// The file at a path, made where it is missing so that nobody but its owner may read it.
    pub(super) fn prepare(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        // An absolute path can't be taken for one of SQLite's special names.
        let absolute = absolute(path).map_err(failed)?;
        let Some(location) = absolute.to_str().map(ToOwned::to_owned) else {
            return Err(failed(io::Error::other("the path is not UTF-8")));
        };
        create_private(&absolute).map_err(failed)?;
        Ok(Self(location))
    }

    /// The connection that writes.
    pub(super) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = self.connect().map_err(OpenError::from_record)?;
        connection
            .batch_execute(WRITER)
            .map_err(|source| OpenError::from_record(source.into()))?;
        let mode = journal_mode(&mut connection).map_err(|source| OpenError::from_record(source.into()))?;
        if mode != "wal" {
            return Err(OpenError::NoWal {
                path: PathBuf::from(&self.0),
                mode,
            });
        }
        Ok(connection)
    }

    /// The writer's connection again, to a database that was open already.
    pub(super) fn writer_again(&self) -> Result<SqliteConnection, RecordError> {
        let mut connection = self.connect()?;
        connection.batch_execute(WRITER)?;
        Ok(connection)
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<SqliteConnection, RecordError> {
        let mut connection = self.connect()?;
        connection.batch_execute(READER)?;
        Ok(connection)
    }

    fn connect(&self) -> Result<SqliteConnection, RecordError> {
        let mut connection = SqliteConnection::establish(&self.0)?;
        connection.batch_execute(EVERYWHERE)?;
        Ok(connection)
    }
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Puts the database into WAL mode, and gives the mode that it is in then.
fn journal_mode(connection: &mut SqliteConnection) -> diesel::QueryResult<String> {
    diesel::sql_query("PRAGMA journal_mode = WAL")
        .get_result::<JournalMode>(connection)
        .map(|row| row.journal_mode)
}

/// SQLite gives its side files the permissions of the database file.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }

    fn setting(connection: &mut SqliteConnection, name: &str) -> i64 {
        diesel::sql_query(format!("SELECT {name} AS value FROM pragma_{name}"))
            .get_result::<Setting>(connection)
            .unwrap()
            .value
    }

    #[test]
    fn every_connection_syncs_each_commit_and_readers_write_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::prepare(&directory.path().join("record.db")).unwrap();
        let writers = [location.writer().unwrap(), location.writer_again().unwrap()];
        for mut writer in writers {
            // 2 is FULL.
            assert_eq!(setting(&mut writer, "synchronous"), 2);
            assert_eq!(setting(&mut writer, "foreign_keys"), 1);
            assert_eq!(setting(&mut writer, "recursive_triggers"), 1);
            assert_eq!(setting(&mut writer, "query_only"), 0);
            assert_eq!(journal_mode(&mut writer).unwrap(), "wal");
        }
        let mut reader = location.reader().unwrap();
        assert_eq!(setting(&mut reader, "query_only"), 1);
        reader.batch_execute("CREATE TABLE mine (x)").unwrap_err();
    }
}
