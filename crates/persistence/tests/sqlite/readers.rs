use diesel::connection::SimpleConnection as _;
use futures::future::join_all;
use rapidphoto_application::ports::{Aggregates, DatabasePorts, EventLog as _, JobReads, Journal as _};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::photo::PhotoCommand;

use crate::{commits::new_job, support::TestStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_reads_than_connections_are_queued() {
    let db = TestStore::new().await;
    let (commit, job) = new_job(db.now());
    db.store.commit(commit).await.unwrap();
    let reads = join_all((0..200).map(|_| Aggregates::job(&*db.store, job)));
    assert!(reads.await.into_iter().all(|found| found.unwrap().is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_a_consistent_snapshot() {
    let db = TestStore::new().await;
    let (owner, at) = (fixtures::user_id(), db.now());
    let ports = DatabasePorts::of(db.store.clone());
    let (job, photos) = fixtures::job(&ports, at, owner, 20).await;
    let writing = tokio::spawn(async move {
        for photo in photos {
            fixtures::execute(&ports, at, &photo, PhotoCommand::Cancel).await;
        }
    });
    while !writing.is_finished() {
        let view = JobReads::job(&*db.store, owner, job.value.id)
            .await
            .unwrap()
            .unwrap();
        // Each cancelled photo appends one event after those of the job and its photos.
        let cancelled = view
            .photos
            .iter()
            .filter(|view| view.photo.status().is_terminal())
            .count() as u64;
        assert_eq!(view.cursor.position(), 21 + cancelled);
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_continue_while_another_process_writes() {
    let db = TestStore::new().await;
    let (commit, job) = new_job(db.now());
    let committed = db.store.commit(commit).await.unwrap();
    let mut raw_connection = db.raw_connection();
    raw_connection.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(db.store.head().await.unwrap(), committed.cursor);
    raw_connection.batch_execute("ROLLBACK").unwrap();
    assert!(Aggregates::job(&*db.store, job).await.unwrap().is_some());
}
