//! Wake-ups between processes.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    ports::{Clock as _, Journal as _, WorkKind},
    signals::Signals,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::UserId;
use rapidphoto_persistence::PgStore;
use tokio::time::timeout;

use crate::server::{TestStore, connect, open, random_name};

/// A guard against hanging.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs the wake-ups of a store; returns its signals once it listens.
async fn listening(store: &Arc<PgStore>) -> Signals {
    let signals = Signals::default();
    let mut work = signals.work();
    tokio::spawn(store.wake_ups(signals.clone()).run());
    timeout(TIMEOUT, work.changed()).await.unwrap().unwrap();
    signals
}

async fn commit_with_work(store: &TestStore) {
    let now = store.clock.now();
    let owner = UserId::from_bits(3);
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1).value.id;
    let photo = commit.write_photo(fixtures::declared_photo(now, owner, job));
    commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
    store.store.commit(commit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_other_processes_of_its_namespace() {
    let store = TestStore::new().await;
    let other_process = open(store.url, &store.namespace, store.clock.clone()).await;
    let other_namespace = open(store.url, &random_name("test"), store.clock.clone()).await;
    listening(&store.store).await;
    let (signals, elsewhere) = (listening(&other_process).await, listening(&other_namespace).await);
    let (mut work, mut unchanged) = (signals.work(), elsewhere.work());
    unchanged.borrow_and_update();
    commit_with_work(&store).await;
    timeout(TIMEOUT, work.changed()).await.unwrap().unwrap();
    assert!(
        !unchanged.has_changed().unwrap(),
        "another namespace is not woken"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wake_ups_resume_after_their_connection_was_terminated() {
    let store = TestStore::new().await;
    let other_process = open(store.url, &store.namespace, store.clock.clone()).await;
    listening(&store.store).await;
    let signals = listening(&other_process).await;
    let mut work = signals.work();
    work.borrow_and_update();
    connect(store.url)
        .await
        .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE query LIKE '%pg_notify%' AND datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap();
    // Announced once the connection is open again, for commits that were missed.
    timeout(TIMEOUT, work.changed()).await.unwrap().unwrap();
    // Until both are connected again, commits may go unannounced.
    timeout(TIMEOUT, async {
        loop {
            work.borrow_and_update();
            commit_with_work(&store).await;
            if timeout(Duration::from_millis(200), work.changed()).await.is_ok() {
                return;
            }
        }
    })
    .await
    .unwrap();
}
