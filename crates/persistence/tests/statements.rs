//! The SQL that reaches SQLite: how many statements, and by which indexes.
//!
//! Diesel tells every statement of every connection of this process, so the tests here take turns.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is wrong"
)]

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
    Aggregates, Commit, DatabasePorts, EventFilter, EventLog as _, IdempotencyKey, IdempotencyReads as _,
    JobReads, Journal as _, PhotoListQuery, PhotoPosition, PhotoReads, PhotoSort, Priority, Sessions as _,
    SortDirection, StateRows as _, TokenHash, UserReads as _, WorkKind, WorkOrder, WorkQueue as _,
};
use rapidphoto_contracts::record::given::{self, Writing as _};
use rapidphoto_domain::{
    Timestamp, UserId, Version,
    photo::{PhotoCommand, PhotoStatus},
};
use tokio::sync::Mutex as AsyncMutex;

use crate::support::Rig;

static TURN: AsyncMutex<()> = AsyncMutex::const_new(());
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Listener;

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            statements().push(query.to_string());
        }
    }
}

fn statements() -> std::sync::MutexGuard<'static, Vec<String>> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets what was heard so far.
fn listen() {
    set_default_instrumentation(|| Some(Box::new(Listener))).unwrap();
    statements().clear();
}

/// What was heard since, without the binds, without transactions and settings.
fn heard() -> Vec<String> {
    let told = std::mem::take(&mut *statements());
    let read_or_write = |sql: &String| {
        ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"]
            .iter()
            .any(|word| sql.trim_start().trim_start_matches('`').starts_with(word))
    };
    told.into_iter()
        .map(|sql| sql.split(" -- binds:").next().unwrap_or_default().to_owned())
        .filter(read_or_write)
        .collect()
}

/// A job as its creation writes it: states, names, work, the request's answer.
fn job_of(photos: u32, owner: UserId, at: Timestamp) -> Commit {
    let mut commit = given::commit(at);
    let job = commit.write_job(owner, photos).value.id;
    let mut ids = Vec::new();
    for _ in 0..photos {
        let photo = commit.write_photo(given::promise(at, owner, job)).value;
        ids.push(photo.id);
        commit.work.push(WorkOrder::Schedule {
            photo: photo.id,
            owner,
            kind: WorkKind::Look,
            due_at: at,
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

async fn statements_for(rig: &Rig, commit: Commit) -> Vec<String> {
    statements().clear();
    rig.store.commit(commit).await.unwrap();
    heard()
}

#[tokio::test]
async fn a_job_takes_as_many_statements_whatever_it_brings() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    let owner = given::user_id();
    let ten = statements_for(&rig, job_of(10, owner, rig.now())).await;
    let five_hundred = statements_for(&rig, job_of(500, owner, rig.now())).await;
    let verbs = |statements: &[String]| -> Vec<String> {
        let words = |sql: &String| sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        statements.iter().map(words).collect()
    };
    assert_eq!(verbs(&ten), verbs(&five_hundred));
    assert!(ten.len() <= 12, "{ten:#?}");
    // More than one statement can bind are more statements, but by thousands.
    let three_thousand = statements_for(&rig, job_of(3_000, owner, rig.now())).await;
    assert!(three_thousand.len() <= ten.len() + 4, "{}", three_thousand.len());
}

#[tokio::test]
async fn a_commit_on_one_photo_takes_few_statements() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    let record = DatabasePorts::of(rig.store.clone());
    let photo = given::photo(&record, rig.now(), given::user_id()).await;
    let mut commit = given::commit(rig.now());
    commit.write_command(&photo, PhotoCommand::StartUpload);
    let statements = statements_for(&rig, commit).await;
    // Is it known, is the version right, the row, the event, where it stands.
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

/// The tables that grow, and the names that statements give them.
const TABLES: [&str; 12] = [
    "events",
    "photos",
    "upload_jobs",
    "users",
    "photo_details",
    "photo_work",
    "idempotency",
    "refresh_tokens",
    "stream_tickets",
    "work",
    "head",
    "later",
];

/// Every statement goes to its rows by an index: no table is read from end to end, and nothing is sorted that an index
/// could have given in order.
fn assert_indexed(rig: &Rig, what: &str, sorting: Sorting) {
    let heard = heard();
    assert!(!heard.is_empty(), "{what} says nothing to SQLite");
    let mut stranger = rig.stranger();
    for sql in heard {
        let plan = plan(&mut stranger, &sql);
        for step in &plan {
            let full_scan = step
                .strip_prefix("SCAN ")
                .is_some_and(|of| TABLES.contains(&of.split(' ').next().unwrap_or_default()));
            assert!(!full_scan, "{what}: {step}\n{sql}\n{plan:#?}");
            let sorted = step.contains("USE TEMP B-TREE");
            assert!(
                !sorted || sorting == Sorting::OfFew,
                "{what}: {step}\n{sql}\n{plan:#?}"
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    None,
    /// What comes out of the indexes is sorted, being as little as was asked for.
    OfFew,
}

#[tokio::test]
async fn every_read_goes_by_an_index() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    let store = &rig.store;
    let record = DatabasePorts::of(store.clone());
    let (owner, at) = (given::user_id(), rig.now());
    let (job, photos) = given::job(&record, at, owner, 3).await;
    let photo = &photos[0].value;
    heard();

    for sort in [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes] {
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            for value in [None, Some(None), Some(Some(1))] {
                let query = PhotoListQuery {
                    status: None,
                    sort,
                    direction,
                    size: 2,
                    after: value.map(|value| PhotoPosition {
                        value,
                        photo: photo.id,
                    }),
                };
                store.list(owner, &query).await.unwrap();
                assert_indexed(&rig, &format!("{query:?}"), Sorting::None);
            }
        }
    }
    let queued = PhotoListQuery {
        status: Some(PhotoStatus::Queued),
        size: 2,
        ..PhotoListQuery::default()
    };
    store.list(owner, &queued).await.unwrap();
    assert_indexed(&rig, "photos of a status", Sorting::None);

    PhotoReads::photo(&**store, owner, photo.id).await.unwrap();
    store.by_ids(owner, &[photo.id]).await.unwrap();
    store.by_upload_ids(owner, &[photo.upload_id]).await.unwrap();
    Aggregates::photo(&**store, photo.id).await.unwrap();
    Aggregates::job(&**store, job.value.id).await.unwrap();
    store.user(owner).await.unwrap();
    store.photos_of_job(job.value.id).await.unwrap();
    JobReads::job(&**store, owner, job.value.id).await.unwrap();
    store.credentials(&given::email()).await.unwrap();
    let key = IdempotencyKey::parse("key").unwrap();
    store.idempotency(owner, &key, at).await.unwrap();
    store.state_rows(None, 2).await.unwrap();
    store.head().await.unwrap();
    store
        .count_events_after(rapidphoto_application::ports::Cursor::START, 10)
        .await
        .unwrap();
    store.events(photo.id.into(), Version::NEW).await.unwrap();
    store.latest_version(photo.id.into()).await.unwrap();
    store.next_due(&WorkKind::ALL).await.unwrap();
    store.depth(WorkKind::Look).await.unwrap();
    assert_indexed(&rig, "single reads", Sorting::None);
}

#[tokio::test]
async fn the_log_is_read_by_an_index_whatever_is_wanted() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    let record = DatabasePorts::of(rig.store.clone());
    let owner = given::user_id();
    let (job, _) = given::job(&record, rig.now(), owner, 3).await;
    heard();
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
        let start = rapidphoto_application::ports::Cursor::START;
        rig.store.events_after(start, &filter, 10).await.unwrap();
        assert_indexed(&rig, &format!("{filter:?}"), Sorting::None);
    }
}

#[tokio::test]
async fn every_write_goes_by_an_index() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    let store = &rig.store;
    let (owner, at) = (given::user_id(), rig.now());
    heard();
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
    let mut commit = given::commit(at);
    commit.work.push(WorkOrder::Finish {
        claim: claims[0].token,
    });
    commit.work.push(WorkOrder::Postpone {
        claim: claims[1].token,
        due_at: at,
        attempts: 1,
        claims: 1,
    });
    store.commit(commit).await.unwrap();
    store.make_looks_due().await.unwrap();
    store.expire_claims().await.unwrap();
    rapidphoto_application::ports::Subscriptions::expire_leases(&**store)
        .await
        .unwrap();
    store.revoke(TokenHash([1; 32])).await.unwrap();
    store.use_ticket(TokenHash([1; 32]), None, at).await.unwrap();
    // Users take turns among what is due, so that is sorted; it is little, or it is the heads of queues.
    assert_indexed(&rig, "writes", Sorting::OfFew);
}

#[tokio::test]
async fn a_crowd_is_claimed_from_by_an_index() {
    let _turn = TURN.lock().await;
    listen();
    let rig = Rig::new().await;
    rig.store
        .commit(job_of(1_000, given::user_id(), rig.now()))
        .await
        .unwrap();
    heard();
    let claims = rig
        .store
        .claim(&WorkKind::ALL, 8, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(claims.len(), 8);
    assert_indexed(&rig, "claims of a crowd", Sorting::OfFew);
}
