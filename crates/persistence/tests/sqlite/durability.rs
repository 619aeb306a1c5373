//! A process that is killed in the midst of its commits.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use rapidphoto_application::ports::{
    AggregateState, Clock as _, Commit, EventLog as _, JobReads as _, Journal as _, Priority, StateRows as _,
    WorkKind, WorkOrder, WorkQueue as _,
};
use rapidphoto_contracts::record::given::{self, Writing as _};
use rapidphoto_domain::{DomainEvent, JobId, UserId, Version, photo::Photo};
use rapidphoto_memory::FakeClock;

use crate::support::{PATIENCE, open};

/// Names the file to the child. Whoever runs the tests does not set it.
const CHILD: &str = "RAPIDPHOTO_TEST_COMMITS_TO";

/// How many photos each of the child's commits brings.
const PHOTOS: u32 = 5;

/// How many of the child's tasks commit side by side.
const COMMITTERS: usize = 8;

/// Not a test by itself: the process that is killed. It says each job whose commit was answered.
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
                    // One write, so that no line is torn by another.
                    let line = format!("\nanswered {owner} {job}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        futures::future::join_all(committers.collect::<Vec<_>>()).await;
    });
}

/// A commit of every kind of row: a user's job, its photos with their names, and work on each.
fn job_with_work(clock: &FakeClock) -> (Commit, UserId, JobId) {
    let at = clock.now();
    let mut commit = given::commit(at);
    let owner = given::user_id();
    let job = commit.write_job(owner, PHOTOS).value.id;
    for _ in 0..PHOTOS {
        let photo = commit.write_photo(given::promise(at, owner, job));
        commit.work.push(WorkOrder::Schedule {
            photo: photo.value.id,
            owner,
            kind: WorkKind::Look,
            due_at: at,
            priority: Priority::Fresh,
        });
    }
    (commit, owner, job)
}

#[test]
fn after_a_kill_every_answered_commit_is_there_and_none_is_half() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 1..=3 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.db");
        let answered = killed_while_committing(&path, round * 25);
        assert!(
            answered.len() >= round * 25,
            "the child got no further than {}",
            answered.len()
        );
        runtime.block_on(whole(&path, &answered));
    }
}

/// Lets a child commit until it was answered so often, kills it with no chance to do anything, and gives all that it
/// was answered.
fn killed_while_committing(path: &Path, answers: usize) -> Vec<(UserId, JobId)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::child_that_commits", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut answered = Vec::new();
    let mut lines = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| read(&line));
    answered.extend(lines.by_ref().take(answers));
    // SIGKILL: for all that the process knows, the power is cut.
    child.kill().unwrap();
    child.wait().unwrap();
    answered.extend(lines);
    answered
}

fn read(line: &str) -> Option<(UserId, JobId)> {
    let (owner, job) = line.strip_prefix("answered ")?.split_once(' ')?;
    // The last line may be cut off.
    Some((owner.parse().ok()?, job.parse().ok()?))
}

async fn whole(path: &Path, answered: &[(UserId, JobId)]) {
    let store = open(path, "test", Arc::<FakeClock>::default()).await.unwrap();
    for (owner, job) in answered {
        let view = store.job(*owner, *job).await.unwrap().unwrap();
        assert_eq!(view.photos.len(), PHOTOS as usize);
    }
    // What was not answered is there with all that belongs to it, or not at all.
    let jobs = store.head().await.unwrap().position() / u64::from(PHOTOS + 1);
    assert!(jobs >= answered.len() as u64);
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
    tokio::time::timeout(PATIENCE, store.close()).await.unwrap();
}
