use diesel::connection::SimpleConnection as _;
use futures::future::join_all;
use rapidphoto_application::ports::{EventLog as _, Journal as _};
use rapidphoto_persistence::{DataDirLock, LockError, OpenError};

use crate::support::{Rig, new_job, open};

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let rig = Rig::new().await;
    rig.store.close().await;
    rig.stranger()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009999')")
        .unwrap();
    let path = rig.directory.path().join("record.db");
    let refused = open(&path, "test", rig.clock.clone()).await.unwrap_err();
    assert!(matches!(
        &refused,
        OpenError::NewerSchema { found, known } if found == "00000000009999" && known.as_str() < "00000000009999"
    ));
    let said = refused.to_string();
    assert!(
        said.contains("00000000009999") && said.contains("00000000000001"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_can_make_a_new_file_at_once() {
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
async fn what_can_not_be_a_database_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::<rapidphoto_memory::FakeClock>::default();
    let nowhere = directory.path().join("missing/record.db");
    let refused = open(&nowhere, "test", clock.clone()).await.unwrap_err();
    assert!(matches!(refused, OpenError::File { ref path, .. } if *path == nowhere));
    let text = directory.path().join("text.db");
    std::fs::write(&text, "This is a letter, not a database. ".repeat(100)).unwrap();
    let refused = open(&text, "test", clock).await.unwrap_err();
    assert!(matches!(refused, OpenError::Database(_)));
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("This is a letter")
    );
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing() {
    let rig = Rig::new().await;
    let committed = rig.store.commit(new_job(rig.now()).0).await.unwrap();
    rig.store.close().await;
    let path = rig.directory.path().join("record.db");
    assert!(
        !path.with_extension("db-wal").exists(),
        "closing takes the write-ahead log in"
    );
    let again = open(&path, "test", rig.clock.clone()).await.unwrap();
    assert_eq!(again.head().await.unwrap(), committed.cursor);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let rig = Rig::new().await;
    rig.store.commit(new_job(rig.now()).0).await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(rig.directory.path()).unwrap() {
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
fn a_data_directory_is_served_by_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("new/data");
    let held = DataDirLock::acquire(&data).unwrap();
    let refused = DataDirLock::acquire(&data).unwrap_err();
    assert!(matches!(&refused, LockError::Held(path) if *path == data));
    assert!(refused.to_string().contains("new/data"), "{refused}");
    drop(held);
    DataDirLock::acquire(&data).unwrap();
}
