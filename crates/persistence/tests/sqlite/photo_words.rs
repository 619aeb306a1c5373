use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{DatabasePorts, Details, PhotoListQuery, PhotoReads as _};
use rapidphoto_contracts::database::fixtures::{self, commit_ok};
use rapidphoto_domain::{
    photo::PhotoCommand,
    values::{SearchWord, TagLabel},
};

use crate::support::{TestStore, open};

#[tokio::test]
async fn the_migration_indexes_words_of_photos_that_are_already_stored() {
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    // More than the migration reads at once.
    let (_, photos) = fixtures::job(&ports, db.now(), owner, 700).await;
    let labels = [TagLabel::parse("Ärger 1").unwrap()].into();
    fixtures::execute(&ports, db.now(), &photos[699], PhotoCommand::Tag { labels }).await;
    let mut commit = fixtures::commit(db.now());
    commit.details.push(Details::PhotoMetadata {
        photo: photos[0].value.id,
        metadata: Box::new(fixtures::metadata()),
    });
    commit_ok(&ports, commit).await;
    let deleted = fixtures::execute(&ports, db.now(), &photos[1], PhotoCommand::Cancel).await;
    fixtures::execute(&ports, db.now(), &deleted, PhotoCommand::Delete).await;
    let path = db.directory.path().join("record.db");
    let other = DatabasePorts::of(open(&path, "other", db.clock.clone()).await.unwrap().into());
    fixtures::photo(&other, db.now(), owner).await;
    db.store.close().await;
    db.raw_connection()
        .batch_execute(
            "DROP TABLE photo_words;
             DROP INDEX photos_unsuccessful_taken;
             DROP INDEX photos_unsuccessful_bytes;
             DROP INDEX upload_jobs_owner;
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000120'",
        )
        .unwrap();

    let migrated = open(&path, "test", db.clock.clone()).await.unwrap();
    let other_migrated = open(&path, "other", db.clock.clone()).await.unwrap();

    for (store, text, expected) in [
        (&migrated, "zurich", 699),
        (&migrated, "猫 jpg", 699),
        (&migrated, "arger", 1),
        (&migrated, "sohne", 1),
        (&migrated, "minolta", 0),
        (&other_migrated, "zurich", 1),
        (&other_migrated, "sohne", 0),
    ] {
        let query = PhotoListQuery {
            words: SearchWord::all_of(text),
            size: 1000,
            ..PhotoListQuery::default()
        };
        let page = store.list(owner, &query).await.unwrap();
        assert_eq!(page.items.len(), expected, "{text}");
    }
}
