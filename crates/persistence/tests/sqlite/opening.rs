use diesel::connection::SimpleConnection as _;
use futures::future::join_all;
use rapidphoto_application::ports::{EventLog as _, Journal as _};
use rapidphoto_persistence::{DataDirLock, LockError, OpenError};

use crate::{
    commits::new_job,
    support::{TestStore, open},
};

#[tokio::test]
async fn a_newer_database_schema_is_rejected() {
    let db = TestStore::new().await;
    db.store.close().await;
    db.raw_connection()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009999')")
        .unwrap();
    let path = db.directory.path().join("record.db");
    let error = open(&path, "test", db.clock.clone()).await.unwrap_err();
    let OpenError::NewerSchema { found, known } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(found, "00000000009999");
    assert!(("00000000000002".."00000000009999").contains(&known.as_str()));
    let message = error.to_string();
    assert!(message.contains(found) && message.contains(known), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_can_be_opened_concurrently() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.db");
    let clock = std::sync::Arc::<rapidphoto_memory::FakeClock>::default();
    let names: Vec<String> = (0..8).map(|number| format!("deployment-{number}")).collect();
    let opening = names.iter().map(|name| open(&path, name, clock.clone()));
    for store in join_all(opening).await {
        store.unwrap();
    }
}

#[tokio::test]
async fn unusable_paths_and_files_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::<rapidphoto_memory::FakeClock>::default();
    let missing = directory.path().join("missing/record.db");
    let error = open(&missing, "test", clock.clone()).await.unwrap_err();
    assert!(matches!(error, OpenError::File { ref path, .. } if *path == missing));
    let text = directory.path().join("text.db");
    std::fs::write(&text, "This is a letter, not a database. ".repeat(100)).unwrap();
    let error = open(&text, "test", clock).await.unwrap_err();
    assert!(matches!(error, OpenError::Database(_)));
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("This is a letter")
    );
}

#[tokio::test]
async fn commits_are_stored_after_closing() {
    let db = TestStore::new().await;
    let committed = db.store.commit(new_job(db.now()).0).await.unwrap();
    db.store.close().await;
    let path = db.directory.path().join("record.db");
    assert!(
        !path.with_extension("db-wal").exists(),
        "closing checkpoints the write-ahead log"
    );
    let reopened = open(&path, "test", db.clock.clone()).await.unwrap();
    assert_eq!(reopened.head().await.unwrap(), committed.cursor);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let db = TestStore::new().await;
    db.store.commit(new_job(db.now()).0).await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(db.directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
        files += 1;
    }
    assert!(files >= 2, "the database and its write-ahead log");
}

#[test]
fn a_data_directory_can_be_locked_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("new/data");
    let held = DataDirLock::acquire(&data).unwrap();
    let error = DataDirLock::acquire(&data).unwrap_err();
    assert!(matches!(&error, LockError::Held(path) if *path == data));
    assert!(error.to_string().contains("new/data"), "{error}");
    drop(held);
    DataDirLock::acquire(&data).unwrap();
}
