//! The PostgreSQL adapter, beside a load generator with the same statements.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock as _, Cursor, DatabasePorts, EventFilter, WorkKind},
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{JobId, Timestamp, UserId};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{PgConfig, PgStore, migrate};

use crate::{
    bare::Bare,
    load::{job_of, schedule},
    measure::{Client, measure},
};

/// Numbers of clients, as many as connections.
const CLIENTS: [usize; 3] = [1, 16, 64];

/// Work items of one measurement of claims.
const ITEMS: usize = 100_000;

/// Lease of the claims.
pub(crate) const LEASE: Duration = Duration::from_mins(10);

/// Limit of a page of the log.
pub(crate) const TAIL: usize = 500;

/// Work items of one claim.
pub(crate) const CLAIM: usize = 8;

pub(crate) async fn run(url: &str) {
    let config = PgConfig {
        url: url.to_owned(),
        password: None,
        root_certificates: None,
        application_name: "throughput".to_owned(),
        namespace: format!("bench-{}", fixtures::job_id()),
        connections: 64,
        first_turn: None,
    };
    migrate(&config).await.unwrap();
    let store = PgStore::open(&config, EventCodec::default()).await.unwrap();
    let db = DatabasePorts::of(Arc::new(store));
    let now = FakeClock::default().now();
    let owner = fixtures::user(&db, now).await;
    for _ in 0..100 {
        db.journal.commit(job_of(1000, owner, now).0).await.unwrap();
    }
    println!("100 000 photos stored in {}", config.namespace);
    let bare = |clients| Bare::connect(url, &config.namespace, clients);
    for clients in CLIENTS {
        let adapter = every(clients, || jobs(&db, now));
        let mut sessions = bare(clients).await;
        let bare = every(clients, || sessions.pop().unwrap().jobs(now));
        compare("jobs of 100 files", clients, adapter, bare).await;
    }
    let (commit, job) = job_of(100, owner, now);
    db.journal.commit(commit).await.unwrap();
    for clients in CLIENTS {
        let adapter = every(clients, || snapshots(&db, owner, job));
        let mut sessions = bare(clients).await;
        let bare = every(clients, || sessions.pop().unwrap().snapshots(owner, job));
        compare("snapshots of a job of 100", clients, adapter, bare).await;
    }
    for clients in CLIENTS {
        let adapter = every(clients, || last_changes(&db, owner, job));
        let mut sessions = bare(clients).await;
        let bare = every(clients, || sessions.pop().unwrap().last_changes(job));
        compare("last changes of a job", clients, adapter, bare).await;
    }
    let end = db.log.head().await.unwrap();
    for clients in CLIENTS {
        let adapter = every(clients, || tails(&db, end));
        let mut sessions = bare(clients).await;
        let bare = every(clients, || sessions.pop().unwrap().tails(end));
        compare("reads of the log's tail", clients, adapter, bare).await;
    }
    for clients in CLIENTS {
        schedule(&db, now, ITEMS, 10_000).await;
        let adapter = measure(every(clients, || claims(&db))).await;
        schedule(&db, now, ITEMS, 10_000).await;
        let mut sessions = bare(clients).await;
        let bare = measure(every(clients, || sessions.pop().unwrap().claims())).await;
        print("claimed items", clients, &adapter, &bare);
    }
}

fn every(clients: usize, client: impl FnMut() -> Client) -> Vec<Client> {
    std::iter::repeat_with(client).take(clients).collect()
}

async fn compare(what: &str, clients: usize, adapter: Vec<Client>, bare: Vec<Client>) {
    let adapter = measure(adapter).await;
    let bare = measure(bare).await;
    print(what, clients, &adapter, &bare);
}

fn print(what: &str, clients: usize, adapter: &crate::measure::Rates, bare: &crate::measure::Rates) {
    println!("{what}, {clients:>2} clients");
    println!(
        "    adapter  {adapter}, {:>4.0} % of the load generator",
        adapter.rate / bare.rate * 100.0
    );
    println!("    bare     {bare}");
}

fn jobs(db: &DatabasePorts, now: Timestamp) -> Client {
    let (db, owner) = (db.clone(), fixtures::user_id());
    Box::new(move || {
        let db = db.clone();
        async move {
            db.journal.commit(job_of(100, owner, now).0).await.unwrap();
            1
        }
        .boxed()
    })
}

fn snapshots(db: &DatabasePorts, owner: UserId, job: JobId) -> Client {
    let db = db.clone();
    Box::new(move || {
        let db = db.clone();
        async move { usize::from(db.jobs.job(owner, job).await.unwrap().is_some()) }.boxed()
    })
}

fn last_changes(db: &DatabasePorts, owner: UserId, job: JobId) -> Client {
    let db = db.clone();
    Box::new(move || {
        let db = db.clone();
        async move { usize::from(db.jobs.last_change(owner, job).await.unwrap().is_some()) }.boxed()
    })
}

/// Reads at the end of the log, as readers do that poll.
fn tails(db: &DatabasePorts, end: Cursor) -> Client {
    let db = db.clone();
    Box::new(move || {
        let db = db.clone();
        async move {
            db.log
                .events_after(end, &EventFilter::default(), TAIL)
                .await
                .unwrap();
            1
        }
        .boxed()
    })
}

fn claims(db: &DatabasePorts) -> Client {
    let db = db.clone();
    Box::new(move || {
        let db = db.clone();
        async move {
            db.work
                .claim(&[WorkKind::Process], CLAIM, LEASE)
                .await
                .unwrap()
                .len()
        }
        .boxed()
    })
}
