//! Durability of commits when their process is killed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use rapidphoto_application::ports::{
    AggregateState, Clock as _, Commit, Due, EventLog as _, JobReads as _, Journal as _, Priority,
    StateRows as _, WorkKind, WorkOrder, WorkQueue as _,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{DomainEvent, JobId, UserId, Version, photo::Photo};
use rapidphoto_memory::FakeClock;

use crate::{commits::TIMEOUT, support::open};

/// Environment variable with the path of the database, set for the child process only.
const CHILD: &str = "RAPIDPHOTO_TEST_COMMITS_TO";

/// Photos in each commit of the child.
const PHOTOS: u32 = 5;

/// Concurrent committing tasks of the child.
const COMMITTERS: usize = 8;

/// The child process, not a test by itself. It prints each job whose commit was acknowledged.
#[test]
fn child_that_commits() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let clock = Arc::<FakeClock>::default();
        let store = Arc::new(open(Path::new(&path), "test", clock.clone()).await.unwrap());
        let committers = (0..COMMITTERS).map(|_| {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move {
                loop {
                    let (commit, owner, job) = job_with_work(&clock);
                    store.commit(commit).await.unwrap();
                    // One write, so that lines do not interleave.
                    let line = format!("\nacknowledged {owner} {job}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        futures::future::join_all(committers.collect::<Vec<_>>()).await;
    });
}

/// A commit of a user's job, its photos with their filenames, and work on each.
fn job_with_work(clock: &FakeClock) -> (Commit, UserId, JobId) {
    let at = clock.now();
    let mut commit = fixtures::commit(at);
    let owner = fixtures::user_id();
    let job = commit.write_job(owner, PHOTOS).value.id;
    for _ in 0..PHOTOS {
        let photo = commit.write_photo(fixtures::declared_photo(at, owner, job));
        commit.work.push(WorkOrder::Schedule {
            photo: photo.value.id,
            owner,
            kind: WorkKind::Look,
            due: Due::Now,
            priority: Priority::Fresh,
        });
    }
    (commit, owner, job)
}

#[test]
fn after_a_kill_acknowledged_commits_are_stored_and_none_is_partial() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 1..=3 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.db");
        let acknowledged = kill_while_committing(&path, round * 25);
        assert!(
            acknowledged.len() >= round * 25,
            "the child acknowledged only {} commits",
            acknowledged.len()
        );
        runtime.block_on(assert_complete(&path, &acknowledged));
    }
}

/// Starts a child, kills it after a number of acknowledged commits, and returns all acknowledged jobs.
fn kill_while_committing(path: &Path, answers: usize) -> Vec<(UserId, JobId)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::child_that_commits", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut lines = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| read(&line));
    acknowledged.extend(lines.by_ref().take(answers));
    // SIGKILL, so that the process can't clean up.
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines);
    acknowledged
}

fn read(line: &str) -> Option<(UserId, JobId)> {
    let (owner, job) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
    // The last line may be incomplete.
    Some((owner.parse().ok()?, job.parse().ok()?))
}

async fn assert_complete(path: &Path, acknowledged: &[(UserId, JobId)]) {
    let store = open(path, "test", Arc::<FakeClock>::default()).await.unwrap();
    for (owner, job) in acknowledged {
        let view = store.job(*owner, *job).await.unwrap().unwrap();
        assert_eq!(view.photos.len(), PHOTOS as usize);
    }
    // Other commits are stored in full or not at all.
    let jobs = store.head().await.unwrap().position() / u64::from(PHOTOS + 1);
    assert!(jobs >= acknowledged.len() as u64);
    assert_eq!(
        store.head().await.unwrap().position(),
        jobs * u64::from(PHOTOS + 1)
    );
    assert_eq!(store.stream_count().await.unwrap(), jobs * u64::from(PHOTOS + 1));
    assert_eq!(
        store.depth(WorkKind::Look).await.unwrap(),
        jobs * u64::from(PHOTOS)
    );
    let rows = store.state_rows(None, usize::MAX).await.unwrap();
    assert_eq!(rows.len() as u64, jobs * u64::from(PHOTOS + 1));
    for row in rows {
        let events = store.events(row.stream, Version::NEW).await.unwrap();
        assert_eq!(row.version, Version(events.len() as u64));
        if let AggregateState::Photo(photo) = row.state {
            let [DomainEvent::Photo(queued)] = [&events[0].event] else {
                panic!("{:?}", events[0]);
            };
            assert_eq!(*photo, Photo::fold([queued]).unwrap());
        }
    }
    tokio::time::timeout(TIMEOUT, store.close()).await.unwrap();
}
