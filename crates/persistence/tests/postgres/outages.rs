//! A database that does not answer.

use rapidphoto_application::ports::{Aggregates as _, CommitError, Journal as _};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::UserId;
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{PgStore, migrate};
use rapidphoto_test_services::PostgresServer;
use std::sync::Arc;

use rapidphoto_application::ports::{Clock as _, Commit};

use crate::server::{TestStore, config, connect, create_database, open};

fn new_job(store: &TestStore) -> Commit {
    let mut commit = fixtures::commit(store.clock.now());
    commit.write_job(UserId::from_bits(1), 0);
    commit
}

/// Commits until one succeeds; every other one must report that the database is unavailable.
async fn commit_at_last(store: &PgStore, commit: Commit) -> usize {
    for failed in 0..100 {
        match store.commit(commit.clone()).await {
            Ok(_) => return failed,
            Err(CommitError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no commit succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_recovers_from_terminated_connections() {
    let store = TestStore::new().await;
    store.store.commit(new_job(&store)).await.unwrap();
    let terminated = connect(store.url)
        .await
        .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'rapidphoto-tests' AND datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap();
    assert!(!terminated.is_empty());
    commit_at_last(&store.store, new_job(&store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_unavailable_until_it_starts_again() {
    let server = PostgresServer::start();
    let url = create_database(&server.url()).await;
    migrate(&config(&url, "test")).await.unwrap();
    let clock = Arc::new(FakeClock::default());
    let store = open(&url, "test", clock.clone()).await;
    let mut first = fixtures::commit(clock.now());
    let job = first.write_job(UserId::from_bits(1), 0).value.id;
    store.commit(first).await.unwrap();
    server.stop();
    let mut second = fixtures::commit(clock.now());
    second.write_job(UserId::from_bits(1), 0);
    let refused = store.commit(second.clone()).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    store.job(job).await.unwrap_err();
    server.start_again();
    commit_at_last(&store, second).await;
    assert!(store.job(job).await.unwrap().is_some());
}
