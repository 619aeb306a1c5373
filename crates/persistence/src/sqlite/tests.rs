use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::{
    log::EventCodec,
    ports::{
        Commit, CommitError, Due, EventLog as _, Journal as _, Priority, StateRows as _, WorkKind, WorkOrder,
        WorkQueue as _,
    },
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::UserId;
use rapidphoto_memory::FakeClock;

use super::*;

const LEASE: Duration = Duration::from_mins(1);

async fn store(path: PathBuf) -> SqliteStore {
    open(path, None).await
}

async fn open(path: PathBuf, first_turn: Option<u64>) -> SqliteStore {
    let config = SqliteConfig {
        path,
        namespace: "test".to_owned(),
        readers: 1,
        first_turn,
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

async fn owners_in_turn(store: &SqliteStore, claims: usize) -> Vec<UserId> {
    let mut owners = Vec::new();
    for _ in 0..claims {
        let claims = store.claim(&[WorkKind::Look], 1, LEASE).await.unwrap();
        owners.extend(claims.iter().map(|claim| claim.owner));
    }
    owners
}

/// The first claim of a process begins at the owner that its random number selects; after that all have their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_begin_at_a_random_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.db");
    let store = store(path.clone()).await;
    let users: Vec<_> = (0..8).map(|_| fixtures::user_id()).collect();
    let mut commit = fixtures::commit(FakeClock::default().now());
    for owner in users.iter().chain(&users) {
        commit.work.push(WorkOrder::Schedule {
            photo: fixtures::photo_id(),
            owner: *owner,
            kind: WorkKind::Look,
            due: Due::Now,
            priority: Priority::Fresh,
        });
    }
    store.commit(commit).await.unwrap();
    store.close().await;
    let reopened = open(path, Some(u64::MAX / 2)).await;
    // The fourth of the eight ids lies before the middle, so that it counts as served.
    let expected: Vec<_> = users[4..].iter().chain(&users[..4]).copied().collect();
    assert_eq!(owners_in_turn(&reopened, 8).await, expected);
}

/// At every moment one of two readers has a transaction open, each of a newer snapshot than the other's.
fn read_without_a_gap(location: &Location, stop: &AtomicBool) {
    let mut readers = [location.reader().unwrap(), location.reader().unwrap()];
    let begin = |reader: &mut SqliteConnection| {
        reader
            .batch_execute("BEGIN; SELECT count(*) FROM filler")
            .unwrap();
    };
    begin(&mut readers[0]);
    for turn in (1_usize..).take_while(|_| !stop.load(Ordering::Relaxed)) {
        begin(&mut readers[turn % 2]);
        std::thread::sleep(Duration::from_millis(5));
        readers[(turn + 1) % 2].batch_execute("COMMIT").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_always_overlap_do_not_let_the_write_ahead_log_grow() {
    const LIMIT: u64 = 1 << 20;
    const WRITTEN: u64 = 24 * LIMIT;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.db");
    let location = Location::prepare(&path).unwrap();
    let mut connection = location.writer().unwrap();
    connection
        .batch_execute("CREATE TABLE filler (id INTEGER PRIMARY KEY, bytes BLOB)")
        .unwrap();
    let writer = Writer::start(location.clone(), connection, WalLimit::new(&path, LIMIT)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let reading = std::thread::spawn({
        let (location, stop) = (location.clone(), Arc::clone(&stop));
        move || read_without_a_gap(&location, &stop)
    });
    let mut largest = 0;
    for _ in 0..WRITTEN / 65_536 {
        let written = writer.run(|connection| {
            // The same row again and again: the database stays small, and each commit makes the log longer.
            connection.batch_execute("REPLACE INTO filler VALUES (1, randomblob(65536))")?;
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
        largest = largest.max(std::fs::metadata(wal::beside(&path, "-wal")).unwrap().len());
    }
    stop.store(true, Ordering::Relaxed);
    reading.join().unwrap();
    writer.close().await;
    assert!(largest > LIMIT, "the limit was never reached: {largest}");
    assert!(largest < 4 * LIMIT, "{largest}");
}
