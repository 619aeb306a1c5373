use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::connection::SimpleConnection as _;
use futures::future::join_all;
use rapidphoto_application::ports::{
    Clock, CommitError, Cursor, EventLog as _, Journal as _, WorkKind, WorkQueue as _,
};
use rapidphoto_domain::{Timestamp, Version};
use rapidphoto_memory::FakeClock;
use tokio::time::timeout;

use crate::{
    commits::{TIMEOUT, conflicting, new_job},
    support::{TestStore, open},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_of_commits_only_the_conflicting_ones_fail() {
    let db = TestStore::new().await;
    let at = db.now();
    // All commits gather in one group while another connection locks the file.
    let mut raw_connection = db.raw_connection();
    raw_connection.batch_execute("BEGIN IMMEDIATE").unwrap();
    let commits = (0..100).map(|number| {
        let store = db.store.clone();
        let commit = if number % 10 == 3 {
            conflicting(at)
        } else {
            new_job(at).0
        };
        tokio::spawn(async move { (number, store.commit(commit).await) })
    });
    let commits: Vec<_> = commits.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    raw_connection.batch_execute("COMMIT").unwrap();
    let mut positions = Vec::new();
    for outcome in join_all(commits).await {
        match outcome.unwrap() {
            (number, Ok(committed)) => {
                assert_ne!(number % 10, 3);
                positions.push(committed.cursor.position());
            }
            (number, Err(CommitError::Conflict(conflicts))) => {
                assert_eq!(number % 10, 3);
                assert_eq!(conflicts.len(), 1);
                assert_eq!(
                    (conflicts[0].expected, conflicts[0].actual),
                    (Version(1), Version::NEW)
                );
            }
            (number, Err(error)) => panic!("{number}: {error}"),
        }
    }
    positions.sort_unstable();
    // Rolled back commits leave no gap.
    assert_eq!(positions, (1..=90).collect::<Vec<_>>());
    assert_eq!(db.store.head().await.unwrap(), Cursor::new(0, 90));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_commit_is_written_in_full_or_not_at_all() {
    let db = TestStore::new().await;
    let at = db.now();
    let mut jobs = Vec::new();
    for delay in 0..60 {
        let (commit, job) = new_job(at);
        jobs.push(job);
        let committing = db.store.commit(commit);
        let _ = timeout(Duration::from_micros(delay * 25), committing).await;
    }
    // The writer continues, and has completed earlier tasks after this commit.
    let (last, _) = new_job(at);
    timeout(TIMEOUT, db.store.commit(last)).await.unwrap().unwrap();
    let mut stored = 1;
    for job in jobs {
        let events = db.store.events(job.into(), Version::NEW).await.unwrap();
        let state = rapidphoto_application::ports::Aggregates::job(&*db.store, job)
            .await
            .unwrap();
        assert_eq!(events.len(), usize::from(state.is_some()));
        stored += events.len() as u64;
    }
    assert_eq!(db.store.head().await.unwrap(), Cursor::new(0, stored));
}

/// A clock that panics while it is broken.
#[derive(Default)]
struct PanickingClock {
    broken: AtomicBool,
    clock: FakeClock,
}

impl Clock for PanickingClock {
    fn now(&self) -> Timestamp {
        assert!(!self.broken.load(Ordering::SeqCst), "the clock is broken");
        self.clock.now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_continues_after_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(PanickingClock::default());
    let store = open(&directory.path().join("record.db"), "test", clock.clone())
        .await
        .unwrap();
    let at = clock.now();
    store.commit(new_job(at).0).await.unwrap();
    clock.broken.store(true, Ordering::SeqCst);
    let claiming = store.claim(&[WorkKind::Look], 1, Duration::from_mins(1));
    timeout(TIMEOUT, claiming).await.unwrap().unwrap_err();
    clock.broken.store(false, Ordering::SeqCst);
    store.commit(new_job(at).0).await.unwrap();
    let claimed = store.claim(&[WorkKind::Look], 1, Duration::from_mins(1)).await;
    assert_eq!(claimed.unwrap(), []);
    assert_eq!(store.head().await.unwrap(), Cursor::new(0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_after_close_are_unavailable() {
    let db = TestStore::new().await;
    let at = db.now();
    let waiting = (0..20).map(|_| {
        let store = db.store.clone();
        tokio::spawn(async move { store.commit(new_job(at).0).await })
    });
    let waiting: Vec<_> = waiting.collect();
    timeout(TIMEOUT, db.store.close()).await.unwrap();
    for outcome in timeout(TIMEOUT, join_all(waiting)).await.unwrap() {
        // Each commit is either acknowledged or unavailable.
        assert!(matches!(
            outcome.unwrap(),
            Ok(_) | Err(CommitError::Unavailable(_))
        ));
    }
    let late = timeout(TIMEOUT, db.store.commit(new_job(at).0)).await.unwrap();
    assert!(matches!(late, Err(CommitError::Unavailable(_))));
    timeout(TIMEOUT, db.store.head()).await.unwrap().unwrap_err();
    // Closing twice has no effect.
    timeout(TIMEOUT, db.store.close()).await.unwrap();
}
