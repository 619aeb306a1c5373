//! Erased personal data: none of its bytes stays in the database's files.

use std::{path::Path, time::Duration};

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::{
    admin::VerifyStateRows,
    log::{EventCodec, Upcasters},
    ports::{DatabasePorts, Details, PhotoHashes, PhotoReads as _},
};
use rapidphoto_contracts::database::fixtures::{self, commit_ok};
use rapidphoto_domain::{photo::PhotoCommand, values::Filename};
use rapidphoto_persistence::{SqliteConfig, SqliteStore};

use crate::support::TestStore;

/// Number of times that `needle` occurs in the database file and in its write-ahead log.
fn occurrences(database: &Path, needle: &str) -> usize {
    [database.to_owned(), database.with_extension("db-wal")]
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .map(|content| {
            let windows = content.windows(needle.len());
            windows.filter(|window| *window == needle.as_bytes()).count()
        })
        .sum()
}

#[tokio::test]
async fn erased_details_leave_no_bytes_in_the_database_and_its_log() {
    let db = TestStore::new().await;
    let path = db.directory.path().join("record.db");
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user(&ports, db.now()).await;
    let (_, photos) = fixtures::job(&ports, db.now(), owner, 300).await;
    // Several times, so that pages are split and rows are moved between them.
    for round in 0..3 {
        for photo in &photos {
            let mut commit = fixtures::commit(db.now());
            let photo = photo.value.id;
            let name = format!("Ottilie-{}-{photo}.jpg", "x".repeat(round * 40));
            let filename = Filename::parse(&name).unwrap();
            commit.details.push(Details::PhotoName { photo, filename });
            let metadata = Box::new(fixtures::metadata());
            commit.details.push(Details::PhotoMetadata { photo, metadata });
            let hashes = fixtures::hashes();
            commit.details.push(Details::PhotoHashes { photo, hashes });
            commit_ok(&ports, commit).await;
        }
    }
    let hash = fixtures::hashes().perceptual.unwrap().to_string();
    assert!(occurrences(&path, "Ottilie") >= 300 && occurrences(&path, &hash) >= 300);
    assert!(occurrences(&path, "ottilie") >= 300, "its word is indexed");
    for photo in &photos {
        let cancelled = fixtures::execute(&ports, db.now(), photo, PhotoCommand::Cancel).await;
        fixtures::execute(&ports, db.now(), &cancelled, PhotoCommand::Delete).await;
    }
    // The database is open, as on a server that runs for long.
    db.store.empty_log().await;
    let emptied = async {
        while std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), emptied)
        .await
        .unwrap();
    assert_eq!((occurrences(&path, "Ottilie"), occurrences(&path, &hash)), (0, 0));
    assert_eq!(occurrences(&path, "ottilie"), 0);
}

/// State that earlier programs have stored, for a photo that is completed with a warning about its checksum.
const DECLARED: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const MEASURED: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const E_TAG: &str = "33333333333333333333333333333333";
const PERCEPTUAL: &str = "4444444444444444";

/// Puts back what the migration removes, and undoes its changes of the schema.
fn old_form() -> String {
    let finding = format!(
        "json('[{{\"check\":\"blurry\",\"measured\":12.25,\"allowed\":100.0}},
                {{\"check\":\"checksum_mismatch\",\"measured\":\"{MEASURED}\",\"allowed\":\"{DECLARED}\"}}]')"
    );
    format!(
        "DROP TRIGGER events_are_never_changed;
         UPDATE events SET schema_version = 1;
         UPDATE events SET payload = json_set(payload, '$.declared.checksum', '{DECLARED}')
             WHERE event_type = 'PhotoQueued';
         UPDATE events SET payload = json_set(payload, '$.object.eTag', '{E_TAG}')
             WHERE event_type = 'PhotoProcessingStarted';
         UPDATE events SET payload = json_set(payload, '$.result.object.eTag', '{E_TAG}', '$.result.checksum',
                 '{MEASURED}', '$.result.perceptualHash', '{PERCEPTUAL}', '$.result.warnings', {finding})
             WHERE event_type = 'PhotoProcessingCompleted';
         UPDATE events SET payload = json_set(payload, '$.reasons', {finding}) WHERE event_type = 'PhotoRejected';
         UPDATE photos SET state = json_set(state, '$.declared.checksum', '{DECLARED}');
         UPDATE photos SET state = json_set(state, '$.state.result.object.eTag', '{E_TAG}', '$.state.result.checksum',
                 '{MEASURED}', '$.state.result.perceptualHash', '{PERCEPTUAL}', '$.state.result.warnings', {finding})
             WHERE status = 'COMPLETED';
         UPDATE photos SET state = json_set(state, '$.state.reasons', {finding}) WHERE status = 'REJECTED';
         DROP INDEX photo_details_content;
         ALTER TABLE photo_details DROP COLUMN hashes;
         CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
             BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
         CREATE TABLE once (text TEXT);
         INSERT INTO once VALUES ('Ottilie' || hex(zeroblob(20000)));
         DROP TABLE once;
         DELETE FROM __diesel_schema_migrations WHERE version IN ('00000000000070', '00000000000095');
         PRAGMA wal_checkpoint(TRUNCATE);"
    )
}

#[tokio::test]
async fn the_migration_moves_hashes_from_the_log_and_the_states_to_the_details() {
    let db = TestStore::new().await;
    let path = db.directory.path().join("record.db");
    let ports = DatabasePorts::of(db.store.clone());
    let now = db.now();
    let owner = fixtures::user(&ports, now).await;
    let (_, photos) = fixtures::job(&ports, now, owner, 4).await;
    let mut states = Vec::new();
    for photo in &photos {
        let verifying = fixtures::execute(&ports, now, photo, PhotoCommand::CompleteUpload).await;
        let object = fixtures::arrived();
        states
            .push(fixtures::execute(&ports, now, &verifying, PhotoCommand::StartProcessing { object }).await);
    }
    let result = Box::new(fixtures::completed(now));
    let complete = PhotoCommand::CompleteProcessing { result };
    let completed = fixtures::execute(&ports, now, &states[0], complete.clone()).await;
    let deleted = fixtures::execute(&ports, now, &states[1], complete).await;
    fixtures::execute(&ports, now, &deleted, PhotoCommand::Delete).await;
    let reasons = Vec::new();
    let rejected = fixtures::execute(&ports, now, &states[2], PhotoCommand::Reject { reasons }).await;
    drop(ports);
    db.store.close().await;
    db.raw_connection().batch_execute(&old_form()).unwrap();
    for needle in [DECLARED, MEASURED, E_TAG, PERCEPTUAL, "Ottilie"] {
        assert!(occurrences(&path, needle) > 0, "{needle}");
    }

    let config = SqliteConfig {
        path: path.clone(),
        namespace: "test".to_owned(),
        readers: 1,
        first_turn: None,
    };
    let codec = EventCodec::new(Upcasters::current());
    let store = std::sync::Arc::new(SqliteStore::open(config, db.clock.clone(), codec).await.unwrap());
    assert_eq!(occurrences(&path, E_TAG), 0);
    assert_eq!(occurrences(&path, "Ottilie"), 0, "free pages are overwritten");
    assert_eq!(
        occurrences(&path, MEASURED),
        2,
        "in the details of the completed photo, and in their index"
    );
    assert_eq!(occurrences(&path, PERCEPTUAL), 1);
    assert_eq!(
        occurrences(&path, DECLARED),
        3,
        "in the details of each photo that is not deleted"
    );
    let hashes = |id| {
        let store = store.clone();
        async move { store.photo(owner, id).await.unwrap().unwrap().hashes }
    };
    let declared = PhotoHashes {
        declared: Some(DECLARED.parse().unwrap()),
        ..PhotoHashes::default()
    };
    assert_eq!(hashes(rejected.value.id).await, declared);
    assert_eq!(
        hashes(completed.value.id).await,
        PhotoHashes {
            measured: Some(MEASURED.parse().unwrap()),
            perceptual: Some(PERCEPTUAL.parse().unwrap()),
            ..declared
        }
    );
    let verified = VerifyStateRows::new(&DatabasePorts::of(store.clone()))
        .handle()
        .await
        .unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    store.close().await;
}
