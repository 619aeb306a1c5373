use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{Cursor, EventFilter, EventLog as _, Journal as _, LogError};
use rapidphoto_domain::{StreamId, Version};

use crate::{commits::new_job, support::TestStore};

/// Inserts an event that this program can't write, as version 2 of a stream.
fn insert_foreign_event(db: &TestStore, stream: StreamId, event_type: &str, schema_version: u32) {
    db.raw_connection()
        .batch_execute(&format!(
            "INSERT INTO events (namespace, event_id, stream_type, stream_id, version, owner, job_id, event_type,
                                 schema_version, payload, metadata, occurred_at)
             SELECT namespace, 'evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', stream_type, stream_id, 2, owner, job_id,
                    '{event_type}', {schema_version}, '{{}}', '{{}}', occurred_at
             FROM events WHERE stream_id = '{stream}' AND version = 1"
        ))
        .unwrap();
}

#[tokio::test]
async fn an_unknown_event_type_is_reported_by_name() {
    let db = TestStore::new().await;
    let (commit, job) = new_job(db.now());
    db.store.commit(commit).await.unwrap();
    insert_foreign_event(&db, job.into(), "UploadJobFramed", 1);
    let of_stream = db.store.events(job.into(), Version::NEW).await.unwrap_err();
    assert!(matches!(of_stream, LogError::Unknown(ref why) if why.event_type == "UploadJobFramed"));
    let everything = EventFilter::default();
    let of_log = db
        .store
        .events_after(Cursor::START, &everything, 10)
        .await
        .unwrap_err();
    assert!(matches!(of_log, LogError::Unknown(_)));
    // A filter that does not match the event skips it.
    let created = EventFilter {
        event_types: vec!["UploadJobCreated".to_owned()],
        ..EventFilter::default()
    };
    let page = db.store.events_after(Cursor::START, &created, 10).await.unwrap();
    assert_eq!((page.events.len(), page.at_end), (1, true));
}

#[tokio::test]
async fn a_newer_event_schema_is_reported_with_both_versions() {
    let db = TestStore::new().await;
    let (commit, job) = new_job(db.now());
    db.store.commit(commit).await.unwrap();
    insert_foreign_event(&db, job.into(), "UploadJobCancelled", 7);
    let error = db.store.events(job.into(), Version::NEW).await.unwrap_err();
    assert!(matches!(
        error,
        LogError::NewerSchema {
            stored: 7,
            known: 1,
            ..
        }
    ));
}

#[tokio::test]
async fn a_long_log_is_scanned_in_bounded_pages() {
    const OTHERS: u64 = 12_000;
    let db = TestStore::new().await;
    let (first, _) = new_job(db.now());
    db.store.commit(first).await.unwrap();
    db.raw_connection()
        .batch_execute(&format!(
            "WITH RECURSIVE numbers (number) AS (
                 SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {OTHERS}
             )
             INSERT INTO events (namespace, event_id, stream_type, stream_id, version, owner, job_id, event_type,
                                 schema_version, payload, metadata, occurred_at)
             SELECT namespace, 'other-' || number, stream_type, stream_id, 1 + number, owner, job_id, 'Other', 1,
                    '{{}}', '{{}}', occurred_at
             FROM numbers, events WHERE position = 1"
        ))
        .unwrap();
    let (last, job) = new_job(db.now());
    let last = db.store.commit(last).await.unwrap().cursor;
    let filter = EventFilter {
        event_types: vec!["UploadJob*".to_owned()],
        ..EventFilter::default()
    };
    let (mut cursor, mut found, mut pages) = (Cursor::START, Vec::new(), 0);
    loop {
        let page = db.store.events_after(cursor, &filter, 10).await.unwrap();
        assert!(page.scanned_to > cursor, "every page advances");
        cursor = page.scanned_to;
        found.extend(page.events);
        pages += 1;
        if page.at_end {
            break;
        }
    }
    assert_eq!(cursor, last);
    assert!((3..=4).contains(&pages), "{pages} pages");
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].stream, StreamId::Job(job));
    // A filter by job uses an index and reads the log in one page.
    let of_job = EventFilter {
        job: Some(job),
        ..EventFilter::default()
    };
    let page = db.store.events_after(Cursor::START, &of_job, 10).await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to, page.at_end), (1, last, true));
}
