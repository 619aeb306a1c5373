use std::{sync::Arc, time::Duration};

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::{
    log::EventCodec,
    ports::{
        Claim, Commit, CommitError, EventLog as _, Journal as _, Priority, StateRows as _, WorkKind,
        WorkOrder, WorkQueue as _,
    },
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::FakeClock;

use super::*;

async fn store(path: PathBuf) -> SqliteStore {
    let config = SqliteConfig {
        path,
        namespace: "test".to_owned(),
        readers: 1,
    };
    SqliteStore::open(config, Arc::new(FakeClock::default()), EventCodec::default())
        .await
        .unwrap()
}

fn job_of(photos: u32) -> Commit {
    let at = FakeClock::default().now();
    let mut commit = fixtures::commit(at);
    let owner = fixtures::user_id();
    let job = commit.write_job(owner, photos);
    for _ in 0..photos {
        commit.write_photo(fixtures::declared_photo(at, owner, job.value.id));
    }
    commit
}

/// Simulates a full disk by limiting the number of pages: SQLite then reports that the disk is full.
async fn allow_pages(store: &SqliteStore, pages: u32) {
    let allowed = store.write(move |connection, _| {
        connection
            .batch_execute(&format!("PRAGMA max_page_count = {pages}"))
            .map_err(StoreError::from)
    });
    allowed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_unavailable_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path().join("record.db")).await;
    let first = store.commit(job_of(1)).await.unwrap();
    allow_pages(&store, 1).await;
    let full = store.commit(job_of(200)).await.unwrap_err();
    assert!(matches!(full, CommitError::Unavailable(_)), "{full}");
    assert_eq!(store.head().await.unwrap(), first.cursor);
    assert_eq!(store.stream_count().await.unwrap(), 2);
    allow_pages(&store, 1_000_000).await;
    let second = store.commit(job_of(200)).await.unwrap();
    assert_eq!(second.cursor.position(), first.cursor.position() + 201);
}

/// The claims of a queue of many users do not depend on the candidate query.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_candidate_queries_claim_in_the_same_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path().join("record.db")).await;
    let now = FakeClock::default().now();
    let mut commit = fixtures::commit(now);
    let users: Vec<_> = (0..7).map(|_| fixtures::user_id()).collect();
    for number in 0_u32..300 {
        // The strides have no common divisor, so that users, kinds, priorities and due times mix. Some work is not due.
        let due_at = now + chrono::TimeDelta::milliseconds(i64::from(number * 37 % 100) - 80);
        commit.work.push(WorkOrder::Schedule {
            photo: fixtures::photo_id(),
            owner: users[(number * number % 7) as usize],
            kind: WorkKind::ALL[(number % 3) as usize],
            due_at,
            priority: if number % 5 == 0 {
                Priority::Bulk
            } else {
                Priority::Fresh
            },
        });
    }
    store.commit(commit).await.unwrap();
    // Some of it is claimed, under valid and expired leases.
    store
        .claim(&WorkKind::ALL, 9, Duration::from_mins(1))
        .await
        .unwrap();
    store.claim(&WorkKind::ALL, 9, Duration::ZERO).await.unwrap();
    for kinds in [&WorkKind::ALL[..], &[WorkKind::Process], &[]] {
        for limit in [1, 2, 7, 50, 1_000] {
            let [from_all, from_heads] = both_candidates(&store, kinds, limit, now).await;
            assert_eq!(from_all, from_heads, "{limit} of {kinds:?}");
            assert_eq!(from_all.is_empty(), kinds.is_empty());
        }
    }
}

/// Claims from all due work and from the heads of the queues; both are rolled back.
async fn both_candidates(
    store: &SqliteStore,
    kinds: &[WorkKind],
    limit: usize,
    now: Timestamp,
) -> [Vec<Claim>; 2] {
    let kinds = kinds.to_vec();
    let claims = store.write(move |connection, namespace| {
        let request = claims::ClaimRequest {
            kinds: &kinds,
            limit,
            now,
            lease: Duration::from_mins(1),
        };
        let mut found = Vec::new();
        for candidates in [claims::ALL_DUE, claims::QUEUE_HEADS] {
            connection.batch_execute("SAVEPOINT tried")?;
            found.push(claims::claim_from(connection, namespace, &request, candidates)?);
            connection.batch_execute("ROLLBACK TO tried; RELEASE tried")?;
        }
        Ok::<_, StoreError>(found)
    });
    claims.await.unwrap().try_into().unwrap()
}
