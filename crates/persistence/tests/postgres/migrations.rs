//! Migrations of databases of their own.

use rapidphoto_application::log::EventCodec;
use rapidphoto_persistence::{PgOpenError, PgStore, migrate, revert};
use rapidphoto_test_services::PostgresServer;

use crate::server::{config, connect, create_database};

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
