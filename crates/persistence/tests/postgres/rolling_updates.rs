//! Updates without a stop: programs of the last release work on while a database is migrated, and afterwards.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rapidphoto_application::{
    admin::VerifyStateRows,
    log::{EventCodec, Upcasters},
    ports::{Aggregates as _, Cursor, DatabasePorts, EventFilter, EventLog as _, Subscriptions as _},
};
use rapidphoto_domain::StreamId;
use rapidphoto_persistence::{PgStore, migrate, rebase_log};
use rapidphoto_test_services::PostgresServer;
use tokio_postgres::Client;

use crate::server::{config, connect, create_database};

/// Environment of the recorded data.
const ENVIRONMENT: &str = "local";

/// Texts of all migrations by version, in their order.
fn migrations() -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (version, _) = name.split_once('_').unwrap();
            (
                version.to_owned(),
                fs::read_to_string(path.join("up.sql")).unwrap(),
            )
        })
        .collect()
}

/// Parts of the schema that programs of the last release rely on.
#[derive(Debug)]
struct Schema {
    /// Type, `NOT NULL` and default of each column, by table and column.
    columns: BTreeMap<(String, String), (String, bool, bool)>,
    /// Unique indexes, constraints and triggers, which can refuse or change what is written, by table.
    rules: Vec<(String, String)>,
    functions: Vec<String>,
}

impl Schema {
    async fn of(client: &Client) -> Self {
        let columns = "
            SELECT relname::text, attname::text, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> ''
            FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND attnum > 0
              AND NOT attisdropped";
        let rules = "
            SELECT relname::text, 'unique ' || pg_get_indexdef(indexrelid) FROM pg_index
            JOIN pg_class ON indrelid = pg_class.oid
            WHERE indisunique AND relnamespace = 'public'::regnamespace
            UNION ALL
            SELECT relname::text, conname || ' ' || pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint
            JOIN pg_class ON conrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
            UNION ALL
            SELECT relname::text, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
            JOIN pg_class ON tgrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace";
        let functions = "
            SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
        let columns = client.query(columns, &[]).await.unwrap();
        let rules = client.query(rules, &[]).await.unwrap();
        let functions = client.query(functions, &[]).await.unwrap();
        Self {
            columns: columns
                .iter()
                .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3), row.get(4))))
                .collect(),
            rules: rules.iter().map(|row| (row.get(0), row.get(1))).collect(),
            functions: functions.iter().map(|row| row.get(0)).collect(),
        }
    }

    /// Parts that a migration to `after` takes away from programs that know this schema.
    fn broken_by(&self, after: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        for ((table, column), (kind, required, has_default)) in &self.columns {
            match after.columns.get(&(table.clone(), column.clone())) {
                None => broken.push(format!("{table}.{column} is gone")),
                Some((new_kind, new_required, new_default)) => {
                    if new_kind != kind || (*new_required && !required) || (*has_default && !new_default) {
                        broken.push(format!("{table}.{column} is changed"));
                    }
                }
            }
        }
        let is_known = |table: &str| self.columns.keys().any(|(known, _)| known == table);
        for ((table, column), (_, required, has_default)) in &after.columns {
            let is_new = !self.columns.contains_key(&(table.clone(), column.clone()));
            if is_new && is_known(table) && *required && !has_default {
                broken.push(format!("{table}.{column} must be written"));
            }
        }
        for rule in &after.rules {
            if is_known(&rule.0) && !self.rules.contains(rule) {
                broken.push(format!("{} has a new rule: {}", rule.0, rule.1));
            }
        }
        let gone = self
            .functions
            .iter()
            .filter(|function| !after.functions.contains(function));
        broken.extend(gone.map(|function| format!("{function} is gone")));
        broken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_migration_leaves_the_last_release_what_it_needs() {
    let url = create_database(&PostgresServer::shared_url()).await;
    let client = connect(&url).await;
    let mut before = None::<Schema>;
    for (version, migration) in migrations() {
        client.batch_execute(&migration).await.unwrap();
        let after = Schema::of(&client).await;
        if let Some(before) = before {
            let broken = before.broken_by(&after);
            assert!(broken.is_empty(), "{version}: {broken:?}");
        }
        before = Some(after);
    }
    let present = before.unwrap();
    for breaking in [
        "ALTER TABLE photos DROP COLUMN taken_at",
        "ALTER TABLE photos RENAME COLUMN bytes TO size",
        "ALTER TABLE photos ALTER COLUMN taken_at SET NOT NULL",
        "ALTER TABLE photos ADD COLUMN colour text NOT NULL",
        "ALTER TABLE usage_slots ALTER COLUMN slot DROP DEFAULT",
        "ALTER TABLE subscriptions ALTER COLUMN token TYPE integer",
        "ALTER TABLE users ADD CHECK (email <> '')",
        "CREATE UNIQUE INDEX ON upload_jobs (namespace, owner)",
        "DROP TABLE upload_activity",
        "DROP SEQUENCE work_tokens",
        "DROP TRIGGER usage_of_new_photos ON photos; DROP FUNCTION count_new_photos",
    ] {
        client.batch_execute(&format!("BEGIN; {breaking}")).await.unwrap();
        let broken = present.broken_by(&Schema::of(&client).await);
        assert!(!broken.is_empty(), "{breaking}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    let expanding = "
        BEGIN;
        ALTER TABLE photos ADD COLUMN colour text, ADD COLUMN rank integer NOT NULL DEFAULT 0;
        CREATE INDEX ON photos (namespace, colour);
        CREATE TABLE albums (album_id text PRIMARY KEY, owner text NOT NULL)";
    client.batch_execute(expanding).await.unwrap();
    assert_eq!(
        present.broken_by(&Schema::of(&client).await),
        Vec::<String>::new()
    );
}

/// Creates a database as the first release left it, with the data of `fixtures/release-1.sql`.
async fn database_of_the_first_release() -> String {
    let url = create_database(&PostgresServer::shared_url()).await;
    let client = connect(&url).await;
    let (version, first) = migrations().pop_first().unwrap();
    client.batch_execute(&first).await.unwrap();
    let versions = "CREATE TABLE __diesel_schema_migrations (
        version varchar(50) PRIMARY KEY NOT NULL, run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    client.batch_execute(versions).await.unwrap();
    client
        .execute(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ($1)",
            &[&version],
        )
        .await
        .unwrap();
    client
        .batch_execute(include_str!("fixtures/release-1.sql"))
        .await
        .unwrap();
    // The recorded transactions are those of another server.
    rebase_log(&config(&url, ENVIRONMENT)).await.unwrap();
    url
}

/// Takes and gives back the lease of a subscription, and writes and reads a session and a photo's state, as programs of the
/// first release do, until `stop`. Returns the number of rounds.
async fn work_as_the_first_release(url: String, stop: Arc<AtomicBool>) -> u64 {
    let client = connect(&url).await;
    // Limits of every connection of the programs.
    client
        .batch_execute("SET statement_timeout = '5s'; SET lock_timeout = '2s'")
        .await
        .unwrap();
    let acquire = "
        INSERT INTO subscriptions AS held (namespace, name, cursor_epoch, cursor_position, token, lease_until)
        VALUES ($1, 'of the first release', 0, 0, 1, 4102444800000)
        ON CONFLICT (namespace, name) DO UPDATE SET token = held.token + 1, lease_until = excluded.lease_until
        WHERE held.lease_until IS NULL OR held.lease_until <= 0
        RETURNING token";
    let advance = "
        UPDATE subscriptions SET cursor_epoch = 1, cursor_position = cursor_position + 1, lease_until = NULL
        WHERE namespace = $1 AND name = 'of the first release' AND token = $2";
    let touch = "
        UPDATE photos SET version = photos.version, state = photos.state, updated_at = photos.updated_at + 1
        WHERE namespace = $1";
    let read =
        "SELECT photo_id, owner, job_id, upload_id, status, version, state FROM photos WHERE namespace = $1";
    let mut rounds = 0;
    while !stop.load(Ordering::SeqCst) {
        let row = client.query_one(acquire, &[&ENVIRONMENT]).await.unwrap();
        let token: i64 = row.get(0);
        assert_eq!(client.execute(advance, &[&ENVIRONMENT, &token]).await.unwrap(), 1);
        let touched = client.execute(touch, &[&ENVIRONMENT]).await.unwrap();
        assert_eq!(
            client.query(read, &[&ENVIRONMENT]).await.unwrap().len() as u64,
            touched
        );
        rounds += 1;
    }
    rounds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_the_first_release_is_migrated_while_programs_of_that_release_work() {
    let url = database_of_the_first_release().await;
    let stop = Arc::new(AtomicBool::default());
    let first_release = tokio::spawn(work_as_the_first_release(url.clone(), Arc::clone(&stop)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let applied = migrate(&config(&url, ENVIRONMENT)).await.unwrap();
    assert_eq!(applied.len(), migrations().len() - 1);

    // This release beside the first one.
    let store = PgStore::open(&config(&url, ENVIRONMENT), EventCodec::new(Upcasters::current()))
        .await
        .unwrap();
    let store = Arc::new(store);
    let ports = DatabasePorts::of(Arc::clone(&store));
    let report = VerifyStateRows::new(&ports).handle().await.unwrap();
    assert!(report.is_clean() && report.streams > 5, "{report:?}");
    let mut photos = 0;
    let (mut cursor, mut at_end) = (Cursor::START, false);
    while !at_end {
        let page = store
            .events_after(cursor, &EventFilter::default(), 50)
            .await
            .unwrap();
        for event in page.events {
            if let (StreamId::Photo(photo), 1) = (event.stream, event.version.0) {
                assert!(store.photo(photo).await.unwrap().is_some());
                photos += 1;
            }
        }
        (cursor, at_end) = (page.scanned_to, page.at_end);
    }
    assert!(photos > 2, "{photos} photos");
    for _ in 0..20 {
        let lease = store.acquire("relay", Duration::from_secs(10)).await.unwrap();
        store.release(&lease.unwrap()).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    assert!(first_release.await.unwrap() > 5);

    let lease = Duration::from_secs(10);
    store.acquire("relay", lease).await.unwrap().unwrap();
    let states = store.states().await.unwrap();
    let owner = |name: &str| {
        let state = states.iter().find(|state| state.name == name).unwrap();
        state.owner.as_deref()
    };
    assert_eq!(
        (owner("relay"), owner("of the first release")),
        (Some("rapidphoto-tests"), None)
    );
}
