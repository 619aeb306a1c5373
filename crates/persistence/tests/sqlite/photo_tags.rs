use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{DatabasePorts, PhotoListQuery, PhotoReads as _};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{photo::PhotoCommand, values::TagLabel};

use crate::support::{TestStore, open};

#[tokio::test]
async fn the_migration_indexes_photos_that_already_have_tags() {
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    let (_, photos) = fixtures::job(&ports, db.now(), owner, 4).await;
    let labels = |labels: [&str; 2]| labels.map(|label| TagLabel::parse(label).unwrap()).into();
    for (photo, names) in photos.iter().zip([["a", "b"], ["b", "ü/\"猫"], ["a", "c"]]) {
        let labels = labels(names);
        fixtures::execute(&ports, db.now(), photo, PhotoCommand::Tag { labels }).await;
    }
    let deleted = ports.aggregates.photo(photos[2].value.id).await.unwrap().unwrap();
    let deleted = fixtures::execute(&ports, db.now(), &deleted, PhotoCommand::Cancel).await;
    fixtures::execute(&ports, db.now(), &deleted, PhotoCommand::Delete).await;
    let path = db.directory.path().join("record.db");
    let other = Arc::new(open(&path, "other", db.clock.clone()).await.unwrap());
    let other_ports = DatabasePorts::of(other.clone());
    let other_photo = fixtures::photo(&other_ports, db.now(), owner).await;
    let command = PhotoCommand::Tag {
        labels: labels(["a", "c"]),
    };
    fixtures::execute(&other_ports, db.now(), &other_photo, command).await;
    other.close().await;
    db.store.close().await;
    db.raw_connection()
        .batch_execute(
            "DROP TABLE photo_tags;
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000002'",
        )
        .unwrap();

    let migrated = open(&path, "test", db.clock.clone()).await.unwrap();
    let other_migrated = open(&path, "other", db.clock.clone()).await.unwrap();

    let other_photos = [other_photo];
    for (store, label, expected) in [
        (&migrated, "a", &photos[..1]),
        (&migrated, "b", &photos[..2]),
        (&migrated, "ü/\"猫", &photos[1..2]),
        (&migrated, "c", &[]),
        (&other_migrated, "a", &other_photos),
        (&other_migrated, "b", &[]),
        (&other_migrated, "c", &other_photos),
    ] {
        let query = PhotoListQuery {
            tag: Some(TagLabel::parse(label).unwrap()),
            size: 10,
            ..PhotoListQuery::default()
        };
        let page = store.list(owner, &query).await.unwrap();
        let mut listed: Vec<_> = page.items.iter().map(|view| view.photo.id).collect();
        listed.sort();
        let expected: Vec<_> = expected.iter().map(|photo| photo.value.id).collect();
        assert_eq!(listed, expected, "{label}");
    }
}
