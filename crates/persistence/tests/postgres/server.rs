//! Databases on the shared server.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use rapidphoto_application::{log::EventCodec, ports::Clock};
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{PgConfig, PgStore, migrate};
use rapidphoto_test_services::PostgresServer;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// Lets a test hold a commit open: it waits in its last statement, when its events have their positions, for a lock that the
/// test holds.
const HOLD_COMMITS: &str = "
    CREATE TABLE held_commits (event_id text PRIMARY KEY);
    CREATE FUNCTION hold_commit() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM held_commits WHERE event_id = NEW.event_id) THEN
            PERFORM pg_advisory_xact_lock(hashtext(NEW.event_id));
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER held_commits AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION hold_commit();";

/// A random name.
pub(crate) fn random_name(prefix: &str) -> String {
    format!("{prefix}{:016x}", RandomState::new().hash_one(prefix))
}

/// Configuration of a namespace of a database.
pub(crate) fn config(url: &str, namespace: &str) -> PgConfig {
    PgConfig {
        url: url.to_owned(),
        password: None,
        root_certificates: None,
        application_name: "rapidphoto-tests".to_owned(),
        namespace: namespace.to_owned(),
        connections: 16,
        first_turn: None,
    }
}

/// A connection without the adapter's settings.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Creates an empty database on the server with this URL; returns the database's URL.
pub(crate) async fn create_database(server: &str) -> String {
    let name = random_name("rapidphoto_test_");
    let client = connect(server).await;
    client
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}?sslmode=disable")
}

/// URL of a migrated database that the tests of this process share, each in a namespace of its own.
pub(crate) async fn shared_database() -> &'static str {
    static URL: OnceCell<String> = OnceCell::const_new();
    URL.get_or_init(|| async {
        let url = create_database(&PostgresServer::shared_url()).await;
        migrate(&config(&url, "test")).await.unwrap();
        connect(&url).await.batch_execute(HOLD_COMMITS).await.unwrap();
        url
    })
    .await
}

pub(crate) async fn open(url: &str, namespace: &str, clock: Arc<dyn Clock>) -> Arc<PgStore> {
    let store = PgStore::open_with_clock(&config(url, namespace), EventCodec::default(), clock).await;
    Arc::new(store.unwrap())
}

/// A store in a namespace of its own, with a clock of its own.
pub(crate) struct TestStore {
    pub(crate) url: &'static str,
    pub(crate) namespace: String,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<PgStore>,
}

impl TestStore {
    pub(crate) async fn new() -> Self {
        let url = shared_database().await;
        let namespace = random_name("test");
        let clock = Arc::new(FakeClock::default());
        let store = open(url, &namespace, clock.clone()).await;
        Self {
            url,
            namespace,
            clock,
            store,
        }
    }
}
