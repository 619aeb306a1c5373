use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{WorkKind, WorkQueue as _};
use rapidphoto_contracts::database::fixtures;

use crate::support::{TestStore, open};

/// The first migration, which has created the work queue.
const FIRST: &str = include_str!("../../../../migrations/sqlite/00000000000001_the_record/up.sql");

const LEASE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_migration_keeps_due_delayed_and_claimed_work() {
    let db = TestStore::new().await;
    let path = db.directory.path().join("record.db");
    db.store.close().await;
    let now = db.now().timestamp_millis();
    let old_table: String = FIRST
        .split_inclusive(';')
        .filter(|statement| statement.contains(" photo_work ("))
        .collect();
    let owner = fixtures::user_id();
    let photos: Vec<_> = (0..4).map(|_| fixtures::photo_id()).collect();
    let row = |photo: usize, due_at: i64, attempts: u32, claims: u32, claim: &str| {
        format!(
            "INSERT INTO photo_work (namespace, photo_id, kind, owner, priority, due_at, attempts, claims, token, lease_until)
             VALUES ('test', '{}', 'look', '{owner}', 0, {due_at}, {attempts}, {claims}, {claim});",
            photos[photo]
        )
    };
    let rows = [
        row(0, now - 1000, 0, 0, "NULL, NULL"),
        row(1, now + 5000, 0, 0, "NULL, NULL"),
        // Two failed attempts, whose claims were kept.
        row(2, now - 500, 2, 2, "NULL, NULL"),
        // Held by a worker.
        row(3, now - 2000, 0, 1, &format!("7, {}", now + 60_000)),
    ];
    db.raw_connection()
        .batch_execute(&format!(
            "DROP TABLE photo_work; {old_table} {}
             INSERT INTO work_tokens VALUES ('test', 7);
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000010'",
            rows.concat()
        ))
        .unwrap();

    let store = open(&path, "test", db.clock.clone()).await.unwrap();
    let kinds = [WorkKind::Look];
    assert_eq!(store.due_in(&kinds).await.unwrap(), Some(Duration::ZERO));
    assert_eq!(store.orphan_due_in(&kinds).await.unwrap(), Some(LEASE));
    let claims = store.claim(&kinds, 9, LEASE).await.unwrap();
    let found: Vec<_> = claims
        .iter()
        .map(|claim| (claim.token.photo, claim.attempts, claim.claims))
        .collect();
    assert_eq!(found, [(photos[0], 0, 1), (photos[2], 2, 1)]);
    db.clock.advance(Duration::from_secs(5));
    let claims = store.claim(&kinds, 9, LEASE).await.unwrap();
    assert_eq!(claims[0].token.photo, photos[1]);
    db.clock.advance(Duration::from_secs(55));
    let orphan = store.claim_orphan(&kinds, LEASE).await.unwrap().unwrap();
    assert_eq!((orphan.token.photo, orphan.claims), (photos[3], 2));
    assert!(orphan.token.token > 7);
}
