//! Plans of searches and of lists of jobs and labels.

use chrono::DateTime;
use rapidphoto_application::ports::{
    DatabasePorts, JobListQuery, PhotoListQuery, PhotoPosition, PhotoSort, TakenRange,
};
use rapidphoto_domain::{
    job::JobStatus,
    values::{SearchWord, TagLabel},
};

use super::{DIRECTIONS, Database};

pub(super) async fn searches(database: &Database) {
    words(database).await;
    taken(database).await;
    lists(database).await;
}

/// About 500 of 10 000 photos have a word that begins with `sea`, all have `jpg`.
async fn words(database: &Database) {
    let created = database.deep("created_at").await;
    let bytes = database.deep("bytes").await;
    for (text, tag, sort, after, max_entries) in [
        // All photos of the rarest word are read, and checked for the others.
        ("sea", None, PhotoSort::CreatedAt, &created, 2_500),
        ("sea", None, PhotoSort::Bytes, &bytes, 2_500),
        // To find the rarest, at most 5 001 photos of each word are counted.
        ("sea jpg", None, PhotoSort::TakenAt, &bytes, 5_001 + 3_500),
        ("sea", Some("holiday"), PhotoSort::Bytes, &bytes, 9_000),
        // A page of a common word counts 5 001 photos and follows the order.
        ("jpg", None, PhotoSort::CreatedAt, &created, 5_001 + 210),
        ("zur", None, PhotoSort::Bytes, &bytes, 5_001 + 210),
        ("zur jpg", None, PhotoSort::Bytes, &bytes, 10_002 + 260),
    ] {
        for direction in DIRECTIONS {
            for after in [None, Some(after.clone())] {
                let query = PhotoListQuery {
                    words: SearchWord::all_of(text),
                    tag: tag.map(|label| TagLabel::parse(label).unwrap()),
                    sort,
                    direction,
                    size: 50,
                    after,
                    ..PhotoListQuery::default()
                };
                let page = async |db: &DatabasePorts| {
                    let page = db.photos.list(database.owner, &query).await.unwrap();
                    assert!(!page.items.is_empty());
                };
                database
                    .assert_indexed(&format!("{query:?}"), max_entries, page)
                    .await;
            }
        }
    }
    let by_number = PhotoListQuery {
        size: 50,
        skip: 2_000,
        ..PhotoListQuery::default()
    };
    let page = async |db: &DatabasePorts| {
        let page = db.photos.list(database.owner, &by_number).await.unwrap();
        assert_eq!(page.items.len(), 50);
    };
    database.assert_indexed("a page by its number", 2_110, page).await;
}

/// Half of the photos have a time, spread over 2^31 ms.
async fn taken(database: &Database) {
    let at = |millis| DateTime::from_timestamp_millis(millis).map(|time| time.naive_utc());
    let taken_at = database.deep("taken_at").await;
    let narrow = TakenRange {
        from: at(1_000_000_000),
        before: at(1_050_000_000),
    };
    let wide = TakenRange {
        from: at(1_000_000),
        before: None,
    };
    for (range, sort, after, max_entries) in [
        (narrow, PhotoSort::TakenAt, None, 110),
        (wide, PhotoSort::TakenAt, None, 110),
        (wide, PhotoSort::TakenAt, Some(taken_at), 110),
        // About 120 photos are counted, read and sorted.
        (narrow, PhotoSort::Bytes, None, 600),
        (narrow, PhotoSort::CreatedAt, None, 600),
    ] {
        for direction in DIRECTIONS {
            let query = PhotoListQuery {
                taken: range,
                sort,
                direction,
                size: 50,
                after: after.clone(),
                ..PhotoListQuery::default()
            };
            let page = async |db: &DatabasePorts| {
                let page = db.photos.list(database.owner, &query).await.unwrap();
                assert_eq!(page.items.len(), 50);
            };
            database
                .assert_indexed(&format!("{query:?}"), max_entries, page)
                .await;
        }
    }
    // A position outside of the range does not make the scan longer.
    let outside = PhotoListQuery {
        taken: narrow,
        sort: PhotoSort::TakenAt,
        size: 50,
        after: Some(PhotoPosition {
            value: Some(i64::MAX),
            photo: database.photos[0],
        }),
        ..PhotoListQuery::default()
    };
    let page = async |db: &DatabasePorts| {
        db.photos.list(database.owner, &outside).await.unwrap();
    };
    database
        .assert_indexed("a position outside of the range", 110, page)
        .await;
}

async fn lists(database: &Database) {
    // 100 jobs of 100 photos, of which 1 in 100 is open.
    for (status, max_entries) in [
        (None, 10_500),
        (Some(JobStatus::InProgress), 11_500),
        (Some(JobStatus::Failed), 11_500),
    ] {
        let query = JobListQuery {
            status,
            size: 50,
            after: None,
        };
        let page = async |db: &DatabasePorts| {
            db.jobs.jobs(database.owner, &query).await.unwrap();
        };
        database
            .assert_indexed(&format!("{query:?}"), max_entries, page)
            .await;
    }
    let labels = async |db: &DatabasePorts| {
        assert_eq!(db.photos.tags(database.owner, None, 10).await.unwrap().len(), 2);
    };
    // Every entry of the labels is counted.
    database.assert_indexed("labels", 11_500, labels).await;
}
