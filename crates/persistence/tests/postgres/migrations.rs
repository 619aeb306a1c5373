//! Migrations of databases of their own.

use std::sync::Arc;

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock as _, DatabasePorts, Details, PhotoListQuery},
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{
    photo::PhotoCommand,
    values::{SearchWord, TagLabel},
};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{PgOpenError, PgStore, migrate, rebase_log, revert};
use rapidphoto_test_services::PostgresServer;

use crate::server::{config, connect, create_database, open};

/// Names of everything in the database that a migration creates.
const OBJECTS: &str = "
    SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1";

async fn objects(url: &str) -> Vec<String> {
    let rows = connect(url).await.query(OBJECTS, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_can_be_reverted_and_applied_again() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let config = config(&url, "test");
    let applied = migrate(&config).await.unwrap();
    let schema = objects(&url).await;
    assert!(!applied.is_empty() && schema.iter().any(|name| name == "events"));
    revert(&config).await.unwrap();
    let left = objects(&url).await;
    assert!(
        left.iter()
            .all(|name| name.starts_with("__diesel_schema_migrations")),
        "{left:?}"
    );
    assert_eq!(migrate(&config).await.unwrap(), applied);
    assert_eq!(objects(&url).await, schema);
    assert_eq!(migrate(&config).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_migration_indexes_words_of_photos_that_are_already_stored() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let config = config(&url, "test");
    migrate(&config).await.unwrap();
    let clock = Arc::new(FakeClock::default());
    let now = clock.now();
    let store = open(&url, "test", clock).await;
    let db = DatabasePorts::of(store.clone());
    let owner = fixtures::user(&db, now).await;
    // More than the migration reads at once.
    let (_, photos) = fixtures::job(&db, now, owner, 700).await;
    let labels = [TagLabel::parse("Ärger 1").unwrap()].into();
    fixtures::execute(&db, now, &photos[699], PhotoCommand::Tag { labels }).await;
    let mut commit = fixtures::commit(now);
    commit.details.push(Details::PhotoMetadata {
        photo: photos[0].value.id,
        metadata: Box::new(fixtures::metadata()),
    });
    fixtures::commit_ok(&db, commit).await;
    let deleted = fixtures::execute(&db, now, &photos[1], PhotoCommand::Cancel).await;
    fixtures::execute(&db, now, &deleted, PhotoCommand::Delete).await;
    let undo = "DROP TABLE photo_words; DROP INDEX upload_jobs_owner;
                DELETE FROM __diesel_schema_migrations WHERE version = '00000000000120'";
    connect(&url).await.batch_execute(undo).await.unwrap();

    assert_eq!(migrate(&config).await.unwrap(), ["00000000000120"]);

    for (text, expected) in [
        ("zurich", 699),
        ("猫 jpg", 699),
        ("arger", 1),
        ("sohne", 1),
        ("minolta", 0),
    ] {
        let query = PhotoListQuery {
            words: SearchWord::all_of(text),
            size: 1000,
            ..PhotoListQuery::default()
        };
        let page = db.photos.list(owner, &query).await.unwrap();
        assert_eq!(page.items.len(), expected, "{text}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_concurrent_processes_migrates() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let processes: Vec<_> = (0..4)
        .map(|_| {
            let config = config(&url, "test");
            tokio::spawn(async move { migrate(&config).await.unwrap().len() })
        })
        .collect();
    let mut applied = Vec::new();
    for process in processes {
        applied.push(process.await.unwrap());
    }
    assert_eq!(
        applied.iter().filter(|count| **count > 0).count(),
        1,
        "{applied:?}"
    );
    PgStore::open(&config(&url, "test"), EventCodec::default())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_another_schema_is_refused() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let config = config(&url, "test");
    let empty = PgStore::open(&config, EventCodec::default()).await;
    assert!(matches!(empty, Err(PgOpenError::OlderSchema { .. })), "{empty:?}");
    migrate(&config).await.unwrap();
    connect(&url)
        .await
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')")
        .await
        .unwrap();
    let newer = PgStore::open(&config, EventCodec::default()).await;
    assert!(matches!(newer, Err(PgOpenError::NewerSchema { .. })), "{newer:?}");
    let newer = migrate(&config).await;
    assert!(matches!(newer, Err(PgOpenError::NewerSchema { .. })), "{newer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_transactions_of_another_server_is_refused() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let config = config(&url, "test");
    migrate(&config).await.unwrap();
    connect(&url)
        .await
        .batch_execute(
            "INSERT INTO events (xid, namespace, event_id, stream_type, stream_id, version, owner, event_type,
                                 schema_version, payload, metadata, occurred_at)
             VALUES (1::bigint << 60, 'another', 'event', 'user', 'stream', 1, 'owner', 'UserRegistered', 1, '{}', '{}', 0)",
        )
        .await
        .unwrap();
    for refused in [
        migrate(&config).await.map(drop),
        PgStore::open(&config, EventCodec::default()).await.map(drop),
    ] {
        let Err(PgOpenError::FutureTransactions { stored, next }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(stored, 1 << 60);
        assert!(next < stored);
    }
    rebase_log(&config).await.unwrap();
    PgStore::open(&config, EventCodec::default()).await.unwrap();
}

/// Order of the log and events before the checkpoint, in each namespace.
async fn log_of(url: &str) -> Vec<(String, Option<i64>)> {
    let client = connect(url).await;
    let rows = client.query(
        "SELECT event_id, (SELECT count(*) FROM events AS earlier JOIN subscriptions USING (namespace)
                           WHERE earlier.namespace = events.namespace
                             AND (earlier.xid, earlier.position) <= (cursor_epoch, cursor_position))
         FROM events ORDER BY namespace, xid, position",
        &[],
    );
    rows.await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_keeps_its_order_and_checkpoints_when_it_is_renumbered() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let config = config(&url, "test");
    migrate(&config).await.unwrap();
    // The order of transactions differs from that of positions.
    connect(&url)
        .await
        .batch_execute(
            "INSERT INTO events (xid, namespace, event_id, stream_type, stream_id, version, owner, event_type,
                                 schema_version, payload, metadata, occurred_at)
             SELECT (1::bigint << 60) + (place * 7) % 10, 'namespace ' || place % 2, 'event ' || place, 'user', 'stream', place,
                    'owner', 'UserRegistered', 1, '{}', '{}', 0
             FROM generate_series(1, 100) AS place;
             INSERT INTO subscriptions
             SELECT namespace, 'reader', xid, position, 1, NULL FROM events WHERE event_id IN ('event 34', 'event 57')",
        )
        .await
        .unwrap();
    let before = log_of(&url).await;
    assert!(before.iter().any(|(_, checkpoint)| *checkpoint > Some(1)));
    for _ in 0..2 {
        rebase_log(&config).await.unwrap();
        assert_eq!(log_of(&url).await, before);
    }
    // New events follow, and the log is append-only again.
    let client = connect(&url).await;
    client
        .batch_execute(
            "INSERT INTO events (namespace, event_id, stream_type, stream_id, version, owner, event_type, schema_version,
                                 payload, metadata, occurred_at)
             VALUES ('namespace 1', 'last', 'user', 'stream', 1000, 'owner', 'UserRegistered', 1, '{}', '{}', 0)",
        )
        .await
        .unwrap();
    assert_eq!(log_of(&url).await.last().unwrap().0, "last");
    client
        .batch_execute("UPDATE events SET xid = 1")
        .await
        .unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_append_only() {
    let url = create_database(&PostgresServer::shared_url()).await;
    migrate(&config(&url, "test")).await.unwrap();
    let client = connect(&url).await;
    for statement in [
        "UPDATE events SET version = version",
        "DELETE FROM events",
        "TRUNCATE events",
    ] {
        let error = client.batch_execute(statement).await.unwrap_err();
        assert_eq!(
            error.as_db_error().unwrap().message(),
            "the event log is append-only"
        );
    }
}
