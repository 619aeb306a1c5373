//! The SQLite adapter on the disk of this machine.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use rapidphoto_application::{
    log::EventCodec,
    ports::{
        Clock as _, DatabasePorts, JobReads as _, Journal as _, PhotoListQuery, PhotoReads as _, WorkKind,
        WorkQueue as _,
    },
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{JobId, Timestamp, UserId, photo::PhotoCommand};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{SqliteConfig, SqliteStore};

use crate::load::{job_of, schedule};

pub(crate) async fn run(directory: Option<PathBuf>) {
    let directory = match directory {
        Some(directory) => tempfile::tempdir_in(directory),
        None => tempfile::tempdir(),
    };
    let directory = directory.unwrap();
    let clock = Arc::<FakeClock>::default();
    let config = SqliteConfig {
        path: directory.path().join("record.db"),
        namespace: "bench".to_owned(),
        readers: 4,
        first_turn: None,
    };
    let store = SqliteStore::open(config, clock.clone(), EventCodec::default())
        .await
        .unwrap();
    let store = Arc::new(store);
    let now = clock.now();
    for callers in [1, 16, 100] {
        commits(&store, now, callers).await;
    }
    let (owner, job) = jobs(&store, now).await;
    reads(&store, owner, job).await;
    claims(&store, now).await;
}

/// Commits of one event on one photo, as workers write them.
async fn commits(store: &Arc<SqliteStore>, now: Timestamp, callers: usize) {
    const SECONDS: u64 = 3;
    let ports = DatabasePorts::of(store.clone());
    let owner = fixtures::user_id();
    let committing = (0..callers).map(|_| {
        let ports = ports.clone();
        tokio::spawn(async move {
            let mut done = 0_usize;
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(SECONDS) {
                let photo = fixtures::photo(&ports, now, owner).await;
                let photo = fixtures::execute(&ports, now, &photo, PhotoCommand::StartUpload).await;
                fixtures::execute(&ports, now, &photo, PhotoCommand::Cancel).await;
                done += 3;
            }
            done
        })
    });
    let done = join_all(committing.collect::<Vec<_>>()).await;
    let done: usize = done.into_iter().map(Result::unwrap).sum();
    println!("{callers:>4} callers: {:>6} commits/s", done / 3);
}

async fn jobs(store: &SqliteStore, now: Timestamp) -> (UserId, JobId) {
    let owner = fixtures::user_id();
    let mut last = None;
    for photos in [1, 10, 100, 1_000] {
        let begun = Instant::now();
        for _ in 0..10 {
            let (commit, job) = job_of(photos, owner, now);
            store.commit(commit).await.unwrap();
            if photos == 100 {
                last = Some(job);
            }
        }
        println!("a job of {photos:>5} photos: {:?}", begun.elapsed() / 10);
    }
    (owner, last.unwrap())
}

async fn reads(store: &SqliteStore, owner: UserId, job: JobId) {
    let begun = Instant::now();
    for _ in 0..100 {
        store.job(owner, job).await.unwrap().unwrap();
    }
    println!("a job's view of 100 photos: {:?}", begun.elapsed() / 100);
    let query = PhotoListQuery {
        size: 50,
        ..PhotoListQuery::default()
    };
    let begun = Instant::now();
    for _ in 0..100 {
        store.list(owner, &query).await.unwrap();
    }
    println!("a page of 50 of 11 110 photos: {:?}", begun.elapsed() / 100);
}

async fn claims(store: &Arc<SqliteStore>, now: Timestamp) {
    let lease = Duration::from_mins(10);
    println!(
        "11 110 items queued, none due: {:?} a claim",
        claim_time(store, lease).await
    );
    for (items, users, all) in [(10_000, 1_000, "1 000"), (100_000, 9_000, "10 000")] {
        schedule(&DatabasePorts::of(store.clone()), now, items, users).await;
        println!(
            "{all} users with due work: {:?} a claim of 8",
            claim_time(store, lease).await
        );
    }
    schedule(&DatabasePorts::of(store.clone()), now, 100_000, 1).await;
    println!(
        "and 100 000 due of one more user: {:?} a claim of 8",
        claim_time(store, lease).await
    );
}

async fn claim_time(store: &SqliteStore, lease: Duration) -> Duration {
    let begun = Instant::now();
    for _ in 0..20 {
        store.claim(&WorkKind::ALL, 8, lease).await.unwrap();
    }
    begun.elapsed() / 20
}
