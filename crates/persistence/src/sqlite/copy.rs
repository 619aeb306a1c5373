//! Copies of the database, for backups.

use std::{fs::File, io, path::Path};

use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    sql_query,
    sql_types::{BigInt, Text},
};
use rapidphoto_application::ports::Unavailable;

use super::{SqliteStore, connection::create_private};
use crate::{error::StoreError, number};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    value: String,
}

impl SqliteStore {
    /// Writes a consistent copy of the database, as of one moment, to a new file that its owner only can read. Commits
    /// continue meanwhile, but the write-ahead log can't be emptied.
    pub async fn copy_to(&self, target: &Path) -> Result<(), Unavailable> {
        let target = target.to_owned();
        self.readers
            .read(move |connection| {
                copy(connection, &target)?;
                Ok::<_, Unavailable>(())
            })
            .await
    }

    /// Size of a copy in bytes.
    pub async fn copy_bytes(&self) -> Result<u64, Unavailable> {
        self.read(|connection, _| {
            let bytes = sql_query(
                "SELECT (page_count - freelist_count) * page_size AS value
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            )
            .get_result::<Number>(connection)
            .map_err(StoreError::from)?;
            Ok(number::count(bytes.value))
        })
        .await
    }

    /// Checks the structure of the database file. Returns the faults that SQLite found, none if the file is sound.
    pub async fn file_faults(&self) -> Result<Vec<String>, Unavailable> {
        self.read(|connection, _| {
            let lines = sql_query("SELECT integrity_check AS value FROM pragma_integrity_check")
                .load::<Line>(connection)
                .map_err(StoreError::from)?;
            let lines = lines.into_iter().map(|line| line.value);
            Ok(lines.filter(|line| line != "ok").collect())
        })
        .await
    }
}

fn copy(connection: &mut SqliteConnection, target: &Path) -> Result<(), Unavailable> {
    let failed = |error: io::Error| Unavailable::database(format!("{}: {error}", target.display()));
    let Some(path) = target.to_str() else {
        return Err(failed(io::Error::other("the path is not UTF-8")));
    };
    // SQLite accepts an empty file as the target, and keeps its permissions.
    create_private(target).map_err(failed)?;
    // The setting would reject statements that write, although they write to the new file only.
    connection
        .batch_execute("PRAGMA query_only = OFF")
        .map_err(StoreError::from)?;
    let copied = sql_query("VACUUM INTO ?")
        .bind::<Text, _>(path)
        .execute(connection);
    connection
        .batch_execute("PRAGMA query_only = ON")
        .map_err(StoreError::from)?;
    copied.map_err(StoreError::from)?;
    File::open(target)
        .and_then(|file| file.sync_all())
        .map_err(failed)
}
