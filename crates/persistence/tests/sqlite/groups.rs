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

use crate::support::{PATIENCE, Rig, conflicting, new_job, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_commits_at_once_only_the_conflicting_ones_fail() {
    let rig = Rig::new().await;
    let at = rig.now();
    // While the file is locked by somebody else, everything gathers in one group.
    let mut stranger = rig.stranger();
    stranger.batch_execute("BEGIN IMMEDIATE").unwrap();
    let commits = (0..100).map(|number| {
        let store = rig.store.clone();
        let commit = if number % 10 == 3 {
            conflicting(at)
        } else {
            new_job(at).0
        };
        tokio::spawn(async move { (number, store.commit(commit).await) })
    });
    let commits: Vec<_> = commits.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stranger.batch_execute("COMMIT").unwrap();
    let mut positions = Vec::new();
    for outcome in join_all(commits).await {
        match outcome.unwrap() {
            (number, Ok(committed)) => {
                assert_ne!(number % 10, 3);
                positions.push(committed.cursor.position());
            }
            (number, Err(CommitError::Conflict(moved))) => {
                assert_eq!(number % 10, 3);
                assert_eq!(moved.len(), 1);
                assert_eq!((moved[0].expected, moved[0].actual), (Version(1), Version::NEW));
            }
            (number, Err(error)) => panic!("{number}: {error}"),
        }
    }
    positions.sort_unstable();
    // What was rolled back left no gap.
    assert_eq!(positions, (1..=90).collect::<Vec<_>>());
    assert_eq!(rig.store.head().await.unwrap(), Cursor::new(0, 90));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_caller_went_away_is_whole_or_absent() {
    let rig = Rig::new().await;
    let at = rig.now();
    let mut jobs = Vec::new();
    for delay in 0..60 {
        let (commit, job) = new_job(at);
        jobs.push(job);
        let committing = rig.store.commit(commit);
        let _ = timeout(Duration::from_micros(delay * 25), committing).await;
    }
    // The writer goes on, and has done with what came before.
    let (last, _) = new_job(at);
    timeout(PATIENCE, rig.store.commit(last)).await.unwrap().unwrap();
    let mut stored = 1;
    for job in jobs {
        let events = rig.store.events(job.into(), Version::NEW).await.unwrap();
        let state = rapidphoto_application::ports::Aggregates::job(&*rig.store, job)
            .await
            .unwrap();
        assert_eq!(events.len(), usize::from(state.is_some()));
        stored += events.len() as u64;
    }
    assert_eq!(rig.store.head().await.unwrap(), Cursor::new(0, stored));
}

/// A clock that can fall off the wall.
#[derive(Default)]
struct FragileClock {
    broken: AtomicBool,
    clock: FakeClock,
}

impl Clock for FragileClock {
    fn now(&self) -> Timestamp {
        assert!(!self.broken.load(Ordering::SeqCst), "the clock fell off the wall");
        self.clock.now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_writer_hangs_nobody_and_ends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(FragileClock::default());
    let store = open(&directory.path().join("record.db"), "test", clock.clone())
        .await
        .unwrap();
    let at = clock.now();
    store.commit(new_job(at).0).await.unwrap();
    clock.broken.store(true, Ordering::SeqCst);
    let claiming = store.claim(&[WorkKind::Look], 1, Duration::from_mins(1));
    timeout(PATIENCE, claiming).await.unwrap().unwrap_err();
    clock.broken.store(false, Ordering::SeqCst);
    store.commit(new_job(at).0).await.unwrap();
    let claimed = store.claim(&[WorkKind::Look], 1, Duration::from_mins(1)).await;
    assert_eq!(claimed.unwrap(), []);
    assert_eq!(store.head().await.unwrap(), Cursor::new(0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_writer_is_gone_everybody_hears_unavailable() {
    let rig = Rig::new().await;
    let at = rig.now();
    let waiting = (0..20).map(|_| {
        let store = rig.store.clone();
        tokio::spawn(async move { store.commit(new_job(at).0).await })
    });
    let waiting: Vec<_> = waiting.collect();
    timeout(PATIENCE, rig.store.close()).await.unwrap();
    for outcome in timeout(PATIENCE, join_all(waiting)).await.unwrap() {
        // In time, or too late; never in between.
        assert!(matches!(
            outcome.unwrap(),
            Ok(_) | Err(CommitError::Unavailable(_))
        ));
    }
    let late = timeout(PATIENCE, rig.store.commit(new_job(at).0)).await.unwrap();
    assert!(matches!(late, Err(CommitError::Unavailable(_))));
    timeout(PATIENCE, rig.store.head()).await.unwrap().unwrap_err();
    // Closing again is nothing.
    timeout(PATIENCE, rig.store.close()).await.unwrap();
}
