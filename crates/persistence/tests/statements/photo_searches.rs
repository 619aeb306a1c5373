use chrono::NaiveDate;
use rapidphoto_application::ports::{
    DatabasePorts, JobListQuery, JobReads as _, PhotoListQuery, PhotoPosition, PhotoReads as _, PhotoSort,
    SortDirection, TakenRange,
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::{
    job::JobStatus,
    photo::PhotoStatus,
    values::{SearchWord, TagLabel},
};

use crate::{SERIAL, Sorting, assert_indexed, recorded_statements, start_recording, support::TestStore};

/// Every combination of filters, orders and positions is served by indexes. Only photos that an index has found are sorted.
#[tokio::test]
async fn every_combination_of_a_photo_list_uses_an_index() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    fixtures::job(&ports, db.now(), owner, 3).await;
    recorded_statements();
    let day = NaiveDate::from_ymd_opt(2026, 7, 14).map(Into::into);
    let range = |from, before| TakenRange { from, before };
    let mut statuses = PhotoStatus::ALL.map(Some).to_vec();
    statuses.push(None);
    for sort in [PhotoSort::CreatedAt, PhotoSort::TakenAt, PhotoSort::Bytes] {
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            for value in [None, Some(None), Some(Some(1))] {
                for status in &statuses {
                    for tag in [None, TagLabel::parse("a").ok()] {
                        for words in ["", "zur", "zur jpg"] {
                            for taken in [range(None, None), range(day, day), range(None, day)] {
                                let query = PhotoListQuery {
                                    status: *status,
                                    tag: tag.clone(),
                                    words: SearchWord::all_of(words),
                                    taken,
                                    sort,
                                    direction,
                                    size: 2,
                                    after: value.map(|value| PhotoPosition {
                                        value,
                                        photo: fixtures::photo_id(),
                                    }),
                                    skip: 1,
                                };
                                db.store.list(owner, &query).await.unwrap();
                                if sort == PhotoSort::TakenAt && !taken.is_unlimited() && value == Some(None)
                                {
                                    // No photo of a period is after those without a time of exposure: there may be no statement.
                                    recorded_statements();
                                    continue;
                                }
                                let is_open = status.is_some_and(|status| !status.is_terminal());
                                let has_filter = tag.is_some()
                                    || !words.is_empty()
                                    || (!taken.is_unlimited() && sort != PhotoSort::TakenAt);
                                let sorting = if has_filter || is_open {
                                    Sorting::Bounded
                                } else {
                                    Sorting::None
                                };
                                assert_indexed(&db, &format!("{query:?}"), sorting);
                            }
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_jobs_is_one_statement_that_uses_indexes() {
    let _serial = SERIAL.lock().await;
    start_recording();
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let owner = fixtures::user_id();
    for _ in 0..3 {
        fixtures::job(&ports, db.now(), owner, 3).await;
    }
    for status in [None, Some(JobStatus::Queued), Some(JobStatus::Completed)] {
        let mut query = JobListQuery {
            status,
            size: 2,
            after: None,
        };
        recorded_statements();
        let page = db.store.jobs(owner, &query).await.unwrap();
        assert_eq!(recorded_statements().len(), 1);
        query.after = page.next;
        db.store.jobs(owner, &query).await.unwrap();
        // The photos of a page's jobs are grouped.
        assert_indexed(&db, &format!("{query:?}"), Sorting::Bounded);
    }
    db.store.tags(owner, None, 2).await.unwrap();
    assert_indexed(&db, "labels", Sorting::None);
}
