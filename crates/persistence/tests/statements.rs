//! Statements sent to SQLite: their number and their query plans.
//!
//! Diesel's instrumentation is global to the process, so that the tests of this file run one after the other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test panics at the first failure"
)]

#[path = "statements/jobs.rs"]
mod jobs;
#[path = "statements/photo_searches.rs"]
mod photo_searches;
#[path = "statements/photo_tags.rs"]
mod photo_tags;
mod support;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation},
    sql_query,
    sql_types::Text,
};
use rapidphoto_application::ports::{
    Aggregates, Commit, Cursor, DatabasePorts, Due, EventFilter, EventLog as _, IdempotencyKey,
    IdempotencyReads as _, JobReads, Journal as _, PhotoListQuery, PhotoPosition, PhotoReads, PhotoSort,
    Priority, Sessions as _, SingleProcess as _, SortDirection, StateRows as _, TokenHash, TokenRotation,
    UsageReads as _, UserReads as _, WorkKind, WorkOrder, WorkQueue as _,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{
    Timestamp, UserId, Version,
    photo::{PhotoCommand, PhotoStatus},
};
use tokio::sync::Mutex as AsyncMutex;

use crate::support::TestStore;

static SERIAL: AsyncMutex<()> = AsyncMutex::const_new(());
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recorder;

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            statements().push(query.to_string());
        }
    }
}

fn statements() -> std::sync::MutexGuard<'static, Vec<String>> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts recording and discards earlier statements.
fn start_recording() {
    set_default_instrumentation(|| Some(Box::new(Recorder))).unwrap();
    statements().clear();
}

/// Takes the recorded statements, without bound values, transaction control and settings.
fn recorded_statements() -> Vec<String> {
    let statements = std::mem::take(&mut *statements());
    let read_or_write = |sql: &String| {
        ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"]
            .iter()
            .any(|word| sql.trim_start().trim_start_matches('`').starts_with(word))
    };
    statements
        .into_iter()
        .map(|sql| sql.split(" -- binds:").next().unwrap_or_default().to_owned())
        .filter(read_or_write)
        .collect()
}

/// The commit of a new job: states, filenames, work and idempotency record.
fn job_of(photos: u32, owner: UserId, at: Timestamp) -> Commit {
    let mut commit = fixtures::commit(at);
    let job = commit.write_job(owner, photos).value.id;
    let mut ids = Vec::new();
    for _ in 0..photos {
        let photo = commit.write_photo(fixtures::declared_photo(at, owner, job)).value;
        ids.push(photo.id);
        commit.work.push(WorkOrder::Schedule {
            photo: photo.id,
            owner,
            kind: WorkKind::Look,
            due: Due::Now,
            priority: Priority::Fresh,
        });
    }
    commit.idempotency = Some(rapidphoto_application::ports::IdempotencyRecord {
        owner,
        key: IdempotencyKey::parse(&job.to_string()).unwrap(),
        fingerprint: [7; 32],
        photos: ids,
        job: Some(job),
        expires_at: at + Duration::from_mins(1),
    });
    commit
}

async fn statements_for(db: &TestStore, commit: Commit) -> Vec<String> {
    statements().clear();
    db.store.commit(commit).await.unwrap();
    recorded_statements()
}

/// The first words of each statement.
fn verbs(statements: &[String]) -> Vec<String> {
    let words = |sql: &String| sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    statements.iter().map(words).collect()
}

#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_photos() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let owner = fixtures::user_id();
    let ten = statements_for(&db, job_of(10, owner, db.now())).await;
    let five_hundred = statements_for(&db, job_of(500, owner, db.now())).await;
    assert_eq!(verbs(&ten), verbs(&five_hundred));
    assert!(ten.len() <= 12, "{ten:#?}");
    let largest = statements_for(&db, job_of(1_000, owner, db.now())).await;
    assert_eq!(
        verbs(&ten),
        verbs(&largest),
        "the bound on a commit is far below that on bound values"
    );
}

#[tokio::test]
async fn a_commit_on_one_photo_takes_five_statements() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let photo = fixtures::photo(&ports, db.now(), fixtures::user_id()).await;
    let mut commit = fixtures::commit(db.now());
    commit.write_command(&photo, PhotoCommand::StartUpload);
    let statements = statements_for(&db, commit).await;
    // Lookups of the event id and the version, the state row, the event, and the log's head.
    assert_eq!(statements.len(), 5, "{statements:#?}");
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let steps = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load::<Step>(connection);
    steps
        .unwrap_or_else(|error| panic!("{error}: {sql}"))
        .into_iter()
        .map(|step| step.detail)
        .collect()
}

/// Tables of unbounded size, and the aliases that statements give them.
const TABLES: [&str; 13] = [
    "events",
    "photos",
    "upload_jobs",
    "users",
    "photo_details",
    "photo_tags",
    "photo_words",
    "photo_work",
    "idempotency",
    "sessions",
    "stream_tickets",
    "work",
    "head",
];

/// Asserts that every recorded statement finds its rows by an index: no full table scan, and no sorting that an index
/// could avoid.
fn assert_indexed(db: &TestStore, what: &str, sorting: Sorting) {
    let recorded = recorded_statements();
    assert!(!recorded.is_empty(), "{what}: no statement was recorded");
    let mut raw_connection = db.raw_connection();
    for sql in recorded {
        let plan = plan(&mut raw_connection, &sql);
        for step in &plan {
            let full_scan = step
                .strip_prefix("SCAN ")
                .is_some_and(|of| TABLES.contains(&of.split(' ').next().unwrap_or_default()));
            assert!(!full_scan, "{what}: {step}\n{sql}\n{plan:#?}");
            let sorted = step.contains("USE TEMP B-TREE");
            assert!(
                !sorted || sorting == Sorting::Bounded,
                "{what}: {step}\n{sql}\n{plan:#?}"
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    None,
    /// Rows found by an index are sorted; their number is bounded.
    Bounded,
}

#[tokio::test]
async fn every_read_uses_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let store = &db.store;
    let ports = DatabasePorts::of(store.clone());
    let (owner, at) = (fixtures::user_id(), db.now());
    let (job, photos) = fixtures::job(&ports, at, owner, 3).await;
    let photo = &photos[0].value;
    recorded_statements();

    for sort in [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes] {
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            for value in [None, Some(None), Some(Some(1))] {
                let query = PhotoListQuery {
                    sort,
                    direction,
                    size: 2,
                    after: value.map(|value| PhotoPosition {
                        value,
                        photo: photo.id,
                    }),
                    ..PhotoListQuery::default()
                };
                store.list(owner, &query).await.unwrap();
                assert_indexed(&db, &format!("{query:?}"), Sorting::None);
            }
        }
    }
    let queued = PhotoListQuery {
        status: Some(PhotoStatus::Queued),
        size: 2,
        ..PhotoListQuery::default()
    };
    store.list(owner, &queued).await.unwrap();
    assert_indexed(&db, "photos of a status", Sorting::None);

    PhotoReads::photo(&**store, owner, photo.id).await.unwrap();
    store.by_ids(owner, &[photo.id]).await.unwrap();
    store.by_upload_ids(owner, &[photo.upload_id]).await.unwrap();
    Aggregates::photo(&**store, photo.id).await.unwrap();
    Aggregates::job(&**store, job.value.id).await.unwrap();
    store.user(owner).await.unwrap();
    store.photos_of_job(job.value.id).await.unwrap();
    JobReads::job(&**store, owner, job.value.id).await.unwrap();
    store.credentials(&fixtures::email()).await.unwrap();
    let key = IdempotencyKey::parse("key").unwrap();
    store.idempotency(owner, &key, at).await.unwrap();
    store.state_rows(None, 2).await.unwrap();
    store.head().await.unwrap();
    for job in [None, Some(job.value.id)] {
        store
            .count_events_after(Cursor::START, owner, job, 10)
            .await
            .unwrap();
    }
    store.events(photo.id.into(), Version::NEW).await.unwrap();
    store.latest_version(photo.id.into()).await.unwrap();
    store.due_in(&WorkKind::ALL).await.unwrap();
    store.orphan_due_in(&WorkKind::ALL).await.unwrap();
    store.depth(WorkKind::Look).await.unwrap();
    assert_indexed(&db, "single reads", Sorting::None);
}

#[tokio::test]
async fn every_event_filter_uses_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    let (job, _) = fixtures::job(&ports, db.now(), owner, 3).await;
    recorded_statements();
    let filters = [
        EventFilter::default(),
        EventFilter {
            owner: Some(owner),
            ..EventFilter::default()
        },
        EventFilter {
            job: Some(job.value.id),
            ..EventFilter::default()
        },
        EventFilter {
            event_types: vec!["Photo*".to_owned()],
            owner: Some(owner),
            ..EventFilter::default()
        },
    ];
    for filter in filters {
        let start = Cursor::START;
        db.store.events_after(start, &filter, 10).await.unwrap();
        assert_indexed(&db, &format!("{filter:?}"), Sorting::None);
    }
}

#[tokio::test]
async fn every_write_uses_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let store = &db.store;
    let (owner, at) = (fixtures::user_id(), db.now());
    recorded_statements();
    store.commit(job_of(3, owner, at)).await.unwrap();
    let claims = store
        .claim(&WorkKind::ALL, 2, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(claims.len(), 2);
    store
        .renew(claims[0].token, Duration::from_mins(1))
        .await
        .unwrap();
    let mut commit = fixtures::commit(at);
    commit.work.push(WorkOrder::Finish {
        claim: claims[0].token,
    });
    commit.work.push(WorkOrder::Postpone {
        claim: claims[1].token,
        due: Due::Now,
        attempts: 1,
        claims: 1,
        keeps_due_time: false,
    });
    store.commit(commit).await.unwrap();
    store.shorten_processing_delays(Duration::ZERO).await.unwrap();
    store.make_looks_due().await.unwrap();
    store.expire_claims().await.unwrap();
    store.expire_leases().await.unwrap();
    store
        .claim_orphan(&WorkKind::ALL, Duration::from_mins(1))
        .await
        .unwrap();
    let session = fixtures::session(owner, at + Duration::from_hours(1));
    let token = fixtures::token();
    let verified = fixtures::password_hash(owner);
    store.open(&session, token, &verified, at, 1).await.unwrap();
    store.oldest_due(owner).await.unwrap();
    store.least_delay(1).await.unwrap();
    let ticket = fixtures::ticket(&session, session.expires_at);
    store.add_ticket(&ticket, 1).await.unwrap();
    store.use_ticket(ticket.ticket, None, at).await.unwrap();
    store.session_of(token).await.unwrap();
    store.is_open(session.id, at).await.unwrap();
    for expected in [token, TokenHash([1; 32])] {
        let rotation = TokenRotation {
            session: session.id,
            token: expected,
            successor: fixtures::token(),
            now: at,
            grace: Duration::ZERO,
            expires_at: session.expires_at,
        };
        store.rotate(&rotation).await.unwrap();
    }
    store.end(session.id).await.unwrap();
    store.end_all(owner).await.unwrap();
    store.delete_expired(at).await.unwrap();
    store.use_ticket(TokenHash([1; 32]), None, at).await.unwrap();
    assert_indexed(&db, "writes", Sorting::None);
}

#[tokio::test]
async fn claims_from_a_crowd_use_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    for _ in 0..20 {
        let job = job_of(50, fixtures::user_id(), db.now());
        db.store.commit(job).await.unwrap();
    }
    recorded_statements();
    let claims = db
        .store
        .claim(&WorkKind::ALL, 8, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(claims.len(), 8);
    assert_indexed(&db, "claims from a crowd", Sorting::None);
}
