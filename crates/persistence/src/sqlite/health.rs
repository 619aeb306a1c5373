//! Checks of a running store, for operators.

use diesel::{QueryableByName, RunQueryDsl as _, sql_types::Integer};
use rapidphoto_application::ports::Unavailable;

use super::SqliteStore;
use crate::error::StoreError;

/// Header field of the database file, which no part of this program uses.
#[derive(QueryableByName)]
struct UserVersion {
    #[diesel(sql_type = Integer)]
    user_version: i32,
}

impl SqliteStore {
    /// Commits a write that changes nothing: it needs the writer, a free page in the log and a sync of the disk, as every
    /// commit does.
    ///
    /// # Errors
    /// If nothing can be written.
    pub async fn check_write(&self) -> Result<(), Unavailable> {
        let written = self.write(|connection, _| {
            let UserVersion { user_version } =
                diesel::sql_query("PRAGMA user_version").get_result(connection)?;
            diesel::sql_query(format!("PRAGMA user_version = {user_version}")).execute(connection)?;
            Ok::<_, StoreError>(())
        });
        written.await.map_err(Unavailable::from)
    }

    /// Completes when the writer has ended, after which every write fails: after [`Self::close`], or when its connection
    /// can't be opened again after a panic.
    pub async fn writer_ended(&self) {
        self.writer.ended().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use rapidphoto_application::{
        log::{EventCodec, Upcasters},
        ports::Clock,
    };
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;
    use crate::sqlite::SqliteConfig;

    #[derive(Debug)]
    struct Epoch;

    impl Clock for Epoch {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            chrono::DateTime::UNIX_EPOCH
        }
    }

    async fn store(directory: &TempDir) -> SqliteStore {
        let config = SqliteConfig {
            path: directory.path().join("record.sqlite"),
            namespace: "test".to_owned(),
            readers: 1,
            first_turn: None,
        };
        let codec = EventCodec::new(Upcasters::current());
        SqliteStore::open(config, Arc::new(Epoch), codec).await.unwrap()
    }

    /// Size of the write-ahead log in bytes.
    fn log_bytes(directory: &TempDir) -> u64 {
        std::fs::metadata(directory.path().join("record.sqlite-wal"))
            .unwrap()
            .len()
    }

    #[tokio::test]
    async fn the_check_reaches_the_file() {
        let directory = TempDir::new().unwrap();
        let store = store(&directory).await;
        let before = log_bytes(&directory);
        store.check_write().await.unwrap();
        assert!(log_bytes(&directory) > before);
    }

    #[tokio::test]
    async fn the_end_of_the_writer_is_reported_and_fails_the_check() {
        let directory = TempDir::new().unwrap();
        let store = store(&directory).await;
        assert!(
            timeout(Duration::from_millis(50), store.writer_ended())
                .await
                .is_err()
        );
        // The writer can't open its connection again.
        directory.close().unwrap();
        let panicked = store.write(|_, _| -> Result<(), StoreError> { panic!("this panic is expected") });
        assert!(panicked.await.is_err());
        timeout(Duration::from_mins(1), store.writer_ended())
            .await
            .unwrap();
        assert!(store.check_write().await.is_err());
    }
}
