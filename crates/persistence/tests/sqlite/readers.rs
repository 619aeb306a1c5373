use diesel::connection::SimpleConnection as _;
use futures::future::join_all;
use rapidphoto_application::ports::{Aggregates, DatabasePorts, EventLog as _, JobReads, Journal as _};
use rapidphoto_contracts::record::given;
use rapidphoto_domain::photo::PhotoCommand;

use crate::support::{Rig, new_job};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_reads_than_connections_wait_for_their_turn() {
    let rig = Rig::new().await;
    let (commit, job) = new_job(rig.now());
    rig.store.commit(commit).await.unwrap();
    let reads = join_all((0..200).map(|_| Aggregates::job(&*rig.store, job)));
    assert!(reads.await.into_iter().all(|found| found.unwrap().is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_shows_one_moment() {
    let rig = Rig::new().await;
    let (owner, at) = (given::user_id(), rig.now());
    let record = DatabasePorts::of(rig.store.clone());
    let (job, photos) = given::job(&record, at, owner, 20).await;
    let writing = tokio::spawn(async move {
        for photo in photos {
            given::command(&record, at, &photo, PhotoCommand::Cancel).await;
        }
    });
    while !writing.is_finished() {
        let view = JobReads::job(&*rig.store, owner, job.value.id)
            .await
            .unwrap()
            .unwrap();
        // Each cancelled photo has moved the log by one, after the job and its photos.
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
async fn reads_go_on_while_somebody_holds_the_file() {
    let rig = Rig::new().await;
    let (commit, job) = new_job(rig.now());
    let committed = rig.store.commit(commit).await.unwrap();
    let mut stranger = rig.stranger();
    stranger.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(rig.store.head().await.unwrap(), committed.cursor);
    stranger.batch_execute("ROLLBACK").unwrap();
    assert!(Aggregates::job(&*rig.store, job).await.unwrap().is_some());
}
