//! Usage slots: their migration, and their comparison with the photos.

use std::time::Duration;

use diesel::{
    QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::BigInt,
};
use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{DatabasePorts, StateRows as _, Usage, UsageMismatch, UsageReads as _},
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{StreamId, UserId, photo::PhotoCommand};

use crate::support::{TestStore, open};

const DAY: Duration = Duration::from_hours(24);

/// A user with 21 photos: 20 of one day, of which one is cancelled, one has failed and one is deleted, and one of the next.
async fn user_with_photos(db: &TestStore) -> UserId {
    let ports = DatabasePorts::of(db.store.clone());
    let now = db.now();
    let owner = fixtures::user(&ports, now).await;
    let (_, photos) = fixtures::job(&ports, now, owner, 20).await;
    fixtures::execute(&ports, now, &photos[0], PhotoCommand::Cancel).await;
    let failed = fixtures::execute(&ports, now, &photos[1], PhotoCommand::ExpireUpload).await;
    fixtures::execute(&ports, now, &failed, PhotoCommand::Delete).await;
    fixtures::execute(&ports, now, &photos[2], PhotoCommand::ExpireUpload).await;
    fixtures::photo(&ports, now + DAY, owner).await;
    owner
}

#[derive(QueryableByName)]
struct Slots {
    #[diesel(sql_type = BigInt)]
    slots: i64,
    #[diesel(sql_type = BigInt)]
    open_photos: i64,
}

#[tokio::test]
async fn the_migration_counts_the_photos_of_an_old_database() {
    let db = TestStore::new().await;
    let owner = user_with_photos(&db).await;
    let (now, tomorrow) = (db.now(), db.now() + DAY);
    let bytes = fixtures::declared_photo(now, owner, fixtures::job_id())
        .declared
        .bytes;
    db.store.close().await;
    let mut raw = db.raw_connection();
    raw.batch_execute(
        "DROP TRIGGER usage_of_new_photos; DROP TRIGGER usage_of_changed_photos; DROP TABLE usage_slots;
         DROP INDEX IF EXISTS photo_work_oldest; DELETE FROM __diesel_schema_migrations WHERE version = '00000000000060'",
    )
    .unwrap();

    let path = db.directory.path().join("record.db");
    let store = open(&path, "test", db.clock.clone()).await.unwrap();
    let slots: Slots =
        sql_query("SELECT count(*) AS slots, sum(open_photos) AS open_photos FROM usage_slots")
            .get_result(&mut raw)
            .unwrap();
    // 21 identifiers with random ends are not all in one of the eight slots.
    assert!((2..=8).contains(&slots.slots), "{}", slots.slots);
    assert_eq!(slots.open_photos, 18);
    let expected = Usage {
        open_photos: 18,
        stored_bytes: 19 * bytes,
        photos_of_day: 1,
    };
    assert_eq!(store.usage(owner, tomorrow).await.unwrap(), expected);
    assert_eq!(store.usage_mismatches().await.unwrap(), []);

    // The triggers go on from there.
    let store = std::sync::Arc::new(store);
    fixtures::photo(&DatabasePorts::of(store.clone()), tomorrow, owner).await;
    let usage = store.usage(owner, tomorrow).await.unwrap();
    assert_eq!((usage.open_photos, usage.photos_of_day), (19, 2));
    assert_eq!(store.usage_mismatches().await.unwrap(), []);
}

#[tokio::test]
async fn verification_finds_slots_that_differ_from_the_photos() {
    let db = TestStore::new().await;
    let owner = user_with_photos(&db).await;
    // Another user's slots are right, and stay so.
    user_with_photos(&db).await;
    assert_eq!(db.store.usage_mismatches().await.unwrap(), []);
    let counted = db.store.usage(owner, db.now() + DAY).await.unwrap();
    let change = |sql: &str| {
        let sql = sql.replace("OWNER", &format!("owner = '{owner}'"));
        db.raw_connection().batch_execute(&sql).unwrap();
    };
    for (name, stored) in [
        (
            "open_photos",
            Usage {
                open_photos: counted.open_photos + 5,
                ..counted
            },
        ),
        (
            "stored_bytes",
            Usage {
                stored_bytes: counted.stored_bytes + 5,
                ..counted
            },
        ),
        (
            "created",
            Usage {
                photos_of_day: counted.photos_of_day + 5,
                ..counted
            },
        ),
    ] {
        let of_last_day = "slot = (SELECT slot FROM usage_slots WHERE OWNER ORDER BY day DESC LIMIT 1)";
        change(&format!(
            "UPDATE usage_slots SET {name} = {name} + 5 WHERE OWNER AND {of_last_day}"
        ));
        let expected = UsageMismatch {
            owner,
            stored,
            counted,
        };
        assert_eq!(db.store.usage_mismatches().await.unwrap(), [expected], "{name}");
        change(&format!(
            "UPDATE usage_slots SET {name} = {name} - 5 WHERE OWNER AND {of_last_day}"
        ));
    }
    change("UPDATE usage_slots SET day = day + 1 WHERE OWNER");
    assert_eq!(db.store.usage_mismatches().await.unwrap().len(), 1);
    change("DELETE FROM usage_slots WHERE OWNER");
    let missing = UsageMismatch {
        owner,
        stored: Usage::default(),
        counted,
    };
    assert_eq!(db.store.usage_mismatches().await.unwrap(), [missing]);

    let report = VerifyStateRows::new(&DatabasePorts::of(db.store.clone()))
        .handle()
        .await
        .unwrap();
    let [mismatch] = &report.mismatches[..] else {
        panic!("{report:?}");
    };
    assert_eq!(mismatch.stream, StreamId::User(owner));
    assert!(mismatch.fault.contains("18 open photos"), "{mismatch}");
}
