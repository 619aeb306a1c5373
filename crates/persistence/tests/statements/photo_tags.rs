use std::collections::BTreeSet;

use rapidphoto_application::ports::{
    DatabasePorts, PhotoListQuery, PhotoPosition, PhotoReads as _, PhotoSort, SortDirection,
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{
    photo::{PhotoCommand, PhotoStatus},
    values::TagLabel,
};

use crate::{SERIAL, plan, recorded_statements, start_recording, statements_for, support::TestStore};

fn labels(count: usize) -> BTreeSet<TagLabel> {
    let label = |number| TagLabel::parse(&format!("label-{number}")).unwrap();
    (0..count).map(label).collect()
}

#[tokio::test]
async fn tags_cost_a_statement_for_each_removed_label_and_a_few_more() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let photo = fixtures::photo(&ports, db.now(), fixtures::user_id()).await;
    let mut commit = fixtures::commit(db.now());
    let tagged = commit.write_command(&photo, PhotoCommand::Tag { labels: labels(20) });
    let added = statements_for(&db, commit).await;
    assert_eq!(added.len(), 7, "{added:#?}");
    let mut commit = fixtures::commit(db.now());
    let untagged = commit.write_command(&tagged, PhotoCommand::Untag { labels: labels(2) });
    let removed = statements_for(&db, commit).await;
    assert_eq!(removed.len(), 9, "{removed:#?}");
    let mut commit = fixtures::commit(db.now());
    commit.write_command(&untagged, PhotoCommand::StartUpload);
    let other = statements_for(&db, commit).await;
    assert_eq!(other.len(), 5, "no statement for the tags: {other:#?}");
}

#[tokio::test]
async fn photos_of_a_tag_are_found_by_the_tag() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let mut query = PhotoListQuery {
        tag: labels(1).pop_first(),
        size: 2,
        ..PhotoListQuery::default()
    };
    recorded_statements();
    for sort in [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes] {
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            for status in [None, Some(PhotoStatus::Queued)] {
                for value in [None, Some(None), Some(Some(1))] {
                    let photo = fixtures::photo_id();
                    query.after = value.map(|value| PhotoPosition { value, photo });
                    (query.sort, query.direction, query.status) = (sort, direction, status);
                    db.store.list(fixtures::user_id(), &query).await.unwrap();
                    let [sql] = recorded_statements().try_into().unwrap();
                    let plan = plan(&mut db.raw_connection(), &sql);
                    // After a photo without a value, the key also finds the photos that follow by their ids.
                    let follows = if value == Some(None) && sort == PhotoSort::TakenAt {
                        match direction {
                            SortDirection::Ascending => " AND photo_id>?",
                            SortDirection::Descending => " AND photo_id<?",
                        }
                    } else {
                        ""
                    };
                    let expected = [
                        format!(
                            "SEARCH photo_tags USING PRIMARY KEY (namespace=? AND owner=? AND label=?{follows})"
                        ),
                        "SEARCH photos USING INDEX photos_id (namespace=? AND photo_id=?)".to_owned(),
                    ];
                    assert_eq!(plan[..2], expected, "{query:?}: {plan:#?}");
                }
            }
        }
    }
}
