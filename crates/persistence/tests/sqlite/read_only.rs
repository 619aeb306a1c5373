//! Reading without writing, and copies.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::{
    log::EventCodec,
    ports::{DatabasePorts, EventLog as _, Journal as _, StateRows as _},
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{photo::PhotoCommand, values::TagLabel};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{DataDirLock, OpenError, SqliteConfig, SqliteStore};

use crate::{
    commits::new_job,
    support::{TestStore, open},
};

async fn open_read_only(path: &Path) -> Result<SqliteStore, OpenError> {
    let config = SqliteConfig {
        path: path.to_owned(),
        namespace: "test".to_owned(),
        readers: 2,
        first_turn: None,
    };
    SqliteStore::open_read_only(config, Arc::<FakeClock>::default(), EventCodec::default()).await
}

/// Names and contents of a directory's files.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn reading_a_copy_changes_no_file() {
    let db = TestStore::new().await;
    let committed = db.store.commit(new_job(db.now()).0).await.unwrap();
    // Characters with a meaning in URIs.
    let copies = db.directory.path().join("copies 100% #1?");
    let with_log = copies.join("with log");
    fs::create_dir_all(&with_log).unwrap();
    for name in ["record.db", "record.db-wal"] {
        fs::copy(db.directory.path().join(name), with_log.join(name)).unwrap();
    }
    assert!(fs::metadata(with_log.join("record.db-wal")).unwrap().len() > 0);
    db.store.close().await;
    let without_log = copies.join("without log");
    fs::create_dir_all(&without_log).unwrap();
    fs::copy(
        db.directory.path().join("record.db"),
        without_log.join("record.db"),
    )
    .unwrap();

    for copy in [with_log, without_log] {
        let before = files(&copy);
        let store = open_read_only(&copy.join("record.db")).await.unwrap();
        assert_eq!(store.head().await.unwrap(), committed.cursor);
        assert_eq!(store.stream_count().await.unwrap(), 1);
        store.commit(new_job(db.now()).0).await.unwrap_err();
        store.close().await;
        drop(store);
        assert_eq!(files(&copy), before, "{}", copy.display());
    }
}

#[tokio::test]
async fn a_database_in_use_can_be_read() {
    let db = TestStore::new().await;
    let lock = DataDirLock::acquire(db.directory.path()).unwrap();
    let path = db.directory.path().join("record.db");
    let reading = open_read_only(&path).await.unwrap();
    let committed = db.store.commit(new_job(db.now()).0).await.unwrap();
    assert_eq!(reading.head().await.unwrap(), committed.cursor);
    reading.close().await;
    drop(reading);
    db.store.commit(new_job(db.now()).0).await.unwrap();
    db.store.close().await;
    drop(lock);

    let reading = open_read_only(&path).await.unwrap();
    DataDirLock::acquire(db.directory.path()).unwrap_err();
    drop(reading);
    DataDirLock::acquire(db.directory.path()).unwrap();
}

#[tokio::test]
async fn an_unknown_or_older_schema_is_not_read() {
    let db = TestStore::new().await;
    db.store.close().await;
    let path = db.directory.path().join("record.db");
    db.raw_connection()
        .batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000050'")
        .unwrap();
    let error = open_read_only(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::OlderSchema { .. }), "{error}");
    db.raw_connection()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009999')")
        .unwrap();
    let error = open_read_only(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error}");
    let missing = db.directory.path().join("missing.db");
    let error = open_read_only(&missing).await.unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
    assert!(!missing.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_commits_go_on_is_consistent() {
    let db = TestStore::new().await;
    let copies = tempfile::tempdir().unwrap();
    let (store, now) = (db.store.clone(), db.now());
    let committing = tokio::spawn(async move {
        loop {
            store.commit(new_job(now).0).await.unwrap();
        }
    });
    let mut heads = Vec::new();
    for number in 0..3 {
        let before = db.store.head().await.unwrap();
        let path = copies.path().join(format!("{number}.db"));
        let reading = open_read_only(&db.directory.path().join("record.db"))
            .await
            .unwrap();
        reading.copy_to(&path).await.unwrap();
        reading.close().await;
        let copy = open_read_only(&path).await.unwrap();
        assert_eq!(copy.file_faults().await.unwrap(), [""; 0]);
        let head = copy.head().await.unwrap();
        assert!(head >= before);
        assert_eq!(copy.stream_count().await.unwrap(), head.position());
        assert_eq!(
            copy.state_rows(None, usize::MAX).await.unwrap().len() as u64,
            head.position()
        );
        heads.push(head.position());
    }
    committing.abort();
    assert!(heads.is_sorted());
    // A copy is an ordinary database, and only its owner can read it.
    let path = copies.path().join("2.db");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let opened = open(&path, "test", db.clock.clone()).await.unwrap();
    opened.commit(new_job(db.now()).0).await.unwrap();
}

#[tokio::test]
async fn entries_of_the_tag_index_that_do_not_match_are_found() {
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user(&ports, db.now()).await;
    let (_, photos) = fixtures::job(&ports, db.now(), owner, 2).await;
    let labels = ["a", "b"].map(|label| TagLabel::parse(label).unwrap());
    for photo in &photos {
        let command = PhotoCommand::Tag {
            labels: labels.clone().into(),
        };
        fixtures::execute(&ports, db.now(), photo, command).await;
    }
    assert_eq!(db.store.tag_mismatches().await.unwrap(), []);
    let (first, second) = (photos[0].value.id, photos[1].value.id);
    db.raw_connection()
        .batch_execute(&format!(
            "DELETE FROM photo_tags WHERE photo_id = '{first}' AND label = 'a';
             UPDATE photo_tags SET label = 'c' WHERE photo_id = '{second}' AND label = 'b';"
        ))
        .unwrap();
    let found = db.store.tag_mismatches().await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|mismatch| (mismatch.photo, mismatch.label.as_str(), mismatch.missing))
        .collect();
    assert_eq!(
        found,
        [(first, "a", true), (second, "b", true), (second, "c", false)]
    );
}

#[tokio::test]
async fn namespaces_with_events_are_known() {
    let db = TestStore::new().await;
    assert_eq!(db.store.namespaces().await.unwrap(), [""; 0]);
    db.store.commit(new_job(db.now()).0).await.unwrap();
    let path = db.directory.path().join("record.db");
    for name in ["another", "zoo"] {
        let other = open(&path, name, db.clock.clone()).await.unwrap();
        assert_eq!(other.key_fingerprint().await.unwrap(), None);
        other.set_key_fingerprint(name.to_owned()).await.unwrap();
        other.commit(new_job(db.now()).0).await.unwrap();
    }
    assert_eq!(db.store.namespaces().await.unwrap(), ["another", "test", "zoo"]);
    assert_eq!(db.store.key_fingerprint().await.unwrap(), None);
    for fingerprint in ["one", "two"] {
        db.store
            .set_key_fingerprint(fingerprint.to_owned())
            .await
            .unwrap();
        assert_eq!(
            db.store.key_fingerprint().await.unwrap().as_deref(),
            Some(fingerprint)
        );
    }
}
