//! Statements of changes of many photos, and of the reads of jobs.

use rapidphoto_application::ports::{
    Aggregates as _, Commit, DatabasePorts, Guard, JobReads, Versioned, WorkKind, WorkOrder,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{
    Timestamp,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use super::{SERIAL, Sorting, assert_indexed, recorded_statements, start_recording, statements_for, verbs};
use crate::support::TestStore;

/// A commit of one command to many photos, with the work that a cancellation orders.
fn each(
    photos: &[Versioned<Photo>],
    command: &PhotoCommand,
    at: Timestamp,
) -> (Commit, Vec<Versioned<Photo>>) {
    let mut commit = fixtures::commit(at);
    let mut after = Vec::new();
    for photo in photos {
        after.push(commit.write_command(photo, command.clone()));
        commit.work.push(WorkOrder::Drop {
            photo: photo.value.id,
            kind: WorkKind::Look,
        });
        commit.work.push(fixtures::schedule(photo, WorkKind::Clean));
    }
    (commit, after)
}

#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_changed_photos() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    let mut statements = Vec::new();
    for count in [2, 100, 1_000] {
        let (job, photos) = fixtures::job(&ports, db.now(), owner, count).await;
        let (cancel, photos) = each(&photos, &PhotoCommand::Cancel, db.now());
        let cancelled = statements_for(&db, cancel).await;
        let (delete, photos) = each(&photos, &PhotoCommand::Delete, db.now());
        let deleted = statements_for(&db, delete).await;
        let mut complete = fixtures::commit(db.now());
        complete.guards.extend(photos.iter().map(|photo| Guard {
            stream: photo.value.id.into(),
            version: photo.version,
        }));
        complete
            .work
            .push(fixtures::schedule(&photos[0], WorkKind::Clean));
        let guarded = statements_for(&db, complete).await;
        let stored = ports.aggregates.photos_of_job(job.value.id).await.unwrap();
        assert_eq!(stored, photos);
        assert!(stored.iter().all(|photo| photo.value.deleted));
        statements.push([cancelled, deleted, guarded].map(|statements| verbs(&statements)));
    }
    assert_eq!(statements[0], statements[1]);
    assert_eq!(statements[0], statements[2]);
    let [cancelled, deleted, guarded] = &statements[0];
    // Look-ups of event ids and versions, state rows, work of two kinds, events, the log's head; a deletion erases the
    // words, the details and the time of the exposure too.
    assert_eq!(
        [cancelled.len(), deleted.len(), guarded.len()],
        [7, 10, 3],
        "{statements:#?}"
    );
}

#[tokio::test]
async fn updates_of_many_rows_use_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let (_, photos) = fixtures::job(&ports, db.now(), fixtures::user_id(), 3).await;
    recorded_statements();
    let (cancel, photos) = each(&photos, &PhotoCommand::Cancel, db.now());
    fixtures::commit_ok(&ports, cancel).await;
    let (delete, _) = each(&photos, &PhotoCommand::Delete, db.now());
    fixtures::commit_ok(&ports, delete).await;
    assert_indexed(&db, "updates of many rows", Sorting::None);
}

#[tokio::test]
async fn a_poll_without_a_change_reads_one_row_and_an_open_job_is_one_look_up() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    let (job, photos) = fixtures::job(&ports, db.now(), owner, 3).await;
    recorded_statements();
    let last = JobReads::last_change(&*db.store, owner, job.value.id)
        .await
        .unwrap();
    assert!(last.is_some());
    let statements = recorded_statements();
    assert_eq!(statements.len(), 1, "{statements:#?}");
    assert!(statements[0].contains("LIMIT"), "{statements:#?}");

    JobReads::last_change(&*db.store, owner, job.value.id)
        .await
        .unwrap();
    assert_indexed(&db, "last change", Sorting::None);
    let open = db
        .store
        .open_jobs(&[job.value.id, fixtures::job_id()])
        .await
        .unwrap();
    assert_eq!(open, [job.value.id].into());
    let statements = recorded_statements();
    assert_eq!(statements.len(), 1, "{statements:#?}");
    db.store.open_jobs(&[job.value.id]).await.unwrap();
    assert_indexed(&db, "open jobs", Sorting::None);
    assert!(PhotoStatus::ALL.iter().all(|status| {
        // The statement and the index write the statuses out.
        statements[0].contains(&format!("'{}'", status.as_str())) != status.is_terminal()
    }));
    assert_eq!(photos.len(), 3);
}
