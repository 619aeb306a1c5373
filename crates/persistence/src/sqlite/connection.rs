//! Connections and their settings.

use std::{
    fs, io,
    path::{Path, PathBuf, absolute},
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Text,
};

use super::OpenError;
use crate::error::StoreError;

/// Time that a statement waits for other processes that use the same file; within one process there is one writer.
pub(super) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";

/// Settings of all connections.
///
/// `synchronous=FULL` makes an acknowledged commit survive a power failure: in WAL mode, NORMAL syncs at checkpoints
/// only.
const ALL_CONNECTIONS: &str = "PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA recursive_triggers = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -8192;";

/// Additional settings of the writer. The limit, in bytes, is that of the write-ahead log (`WAL_LIMIT`); a longer file is
/// cut to it when the log starts anew. Deleted content is overwritten with zeros, so that erased personal data does not stay
/// in free pages.
const WRITER_ONLY: &str = "PRAGMA journal_size_limit = 67108864;
    PRAGMA secure_delete = ON;";

/// Additional settings of readers.
const READER_ONLY: &str = "PRAGMA query_only = ON;";

/// Path of a database in the form that SQLite takes.
#[derive(Debug, Clone)]
pub(super) struct Location(String);

impl Location {
    /// Resolves the path of the database file and creates the file, readable by its owner only, if it is missing.
    pub(super) fn prepare(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        // An absolute path can't be mistaken for one of SQLite's special names.
        let absolute = absolute(path).map_err(failed)?;
        let Some(location) = absolute.to_str().map(ToOwned::to_owned) else {
            return Err(failed(io::Error::other("the path is not UTF-8")));
        };
        create_private(&absolute).map_err(failed)?;
        Ok(Self(location))
    }

    /// Location of an existing database that is only read. `immutable` is for files that no process changes meanwhile:
    /// SQLite then makes no files beside the database.
    pub(super) fn read_only(path: &Path, immutable: bool) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        let absolute = fs::canonicalize(path).map_err(failed)?;
        let Some(location) = absolute.to_str() else {
            return Err(failed(io::Error::other("the path is not UTF-8")));
        };
        // Characters that have a meaning in URIs (https://www.sqlite.org/uri.html).
        let escaped = location
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let immutable = if immutable { "&immutable=1" } else { "" };
        Ok(Self(format!("file:{escaped}?mode=ro{immutable}")))
    }

    /// Opens the writer's connection and checks that the database is in WAL mode.
    pub(super) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = self.connect().map_err(OpenError::from_store)?;
        connection
            .batch_execute(WRITER_ONLY)
            .map_err(|source| OpenError::from_store(source.into()))?;
        let mode = journal_mode(&mut connection).map_err(|source| OpenError::from_store(source.into()))?;
        if mode != "wal" {
            return Err(OpenError::NoWal {
                path: PathBuf::from(&self.0),
                mode,
            });
        }
        Ok(connection)
    }

    /// Opens the writer's connection again, for a database that was open before.
    pub(super) fn reopen_writer(&self) -> Result<SqliteConnection, StoreError> {
        let mut connection = self.connect()?;
        connection.batch_execute(WRITER_ONLY)?;
        Ok(connection)
    }

    /// Opens a read-only connection.
    pub(super) fn reader(&self) -> Result<SqliteConnection, StoreError> {
        let mut connection = self.connect()?;
        connection.batch_execute(READER_ONLY)?;
        Ok(connection)
    }

    fn connect(&self) -> Result<SqliteConnection, StoreError> {
        let mut connection = SqliteConnection::establish(&self.0)?;
        connection.batch_execute(BUSY_TIMEOUT)?;
        connection.batch_execute(ALL_CONNECTIONS)?;
        Ok(connection)
    }
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Switches the database to WAL mode. Returns the resulting mode.
fn journal_mode(connection: &mut SqliteConnection) -> diesel::QueryResult<String> {
    diesel::sql_query("PRAGMA journal_mode = WAL")
        .get_result::<JournalMode>(connection)
        .map(|row| row.journal_mode)
}

/// Creates the file with permissions for its owner only. SQLite gives the WAL and shared-memory files the same
/// permissions.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
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
    fn writers_sync_every_commit_and_readers_are_read_only() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::prepare(&directory.path().join("record.db")).unwrap();
        let writers = [location.writer().unwrap(), location.reopen_writer().unwrap()];
        for mut writer in writers {
            // 2 is FULL.
            assert_eq!(setting(&mut writer, "synchronous"), 2);
            assert_eq!(setting(&mut writer, "foreign_keys"), 1);
            assert_eq!(setting(&mut writer, "recursive_triggers"), 1);
            assert_eq!(setting(&mut writer, "query_only"), 0);
            assert_eq!(setting(&mut writer, "secure_delete"), 1);
            assert_eq!(journal_mode(&mut writer).unwrap(), "wal");
        }
        let mut reader = location.reader().unwrap();
        assert_eq!(setting(&mut reader, "query_only"), 1);
        reader.batch_execute("CREATE TABLE mine (x)").unwrap_err();
    }
}
