use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{Cursor, EventFilter, EventLog as _, Journal as _, LogError};
use rapidphoto_domain::{StreamId, Version};

use crate::support::{Rig, new_job};

/// Writes an event that this program would not write, behind the first one of a stream.
fn written_by_another_program(rig: &Rig, stream: StreamId, event_type: &str, schema_version: u32) {
    rig.stranger()
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
async fn an_event_of_an_unknown_type_is_an_error_that_names_it() {
    let rig = Rig::new().await;
    let (commit, job) = new_job(rig.now());
    rig.store.commit(commit).await.unwrap();
    written_by_another_program(&rig, job.into(), "UploadJobFramed", 1);
    let of_stream = rig.store.events(job.into(), Version::NEW).await.unwrap_err();
    assert!(matches!(of_stream, LogError::Unknown(ref why) if why.event_type == "UploadJobFramed"));
    let everything = EventFilter::default();
    let of_log = rig
        .store
        .events_after(Cursor::START, &everything, 10)
        .await
        .unwrap_err();
    assert!(matches!(of_log, LogError::Unknown(_)));
    // Who does not want it does not stumble over it.
    let created = EventFilter {
        event_types: vec!["UploadJobCreated".to_owned()],
        ..EventFilter::default()
    };
    let page = rig.store.events_after(Cursor::START, &created, 10).await.unwrap();
    assert_eq!((page.events.len(), page.at_end), (1, true));
}

#[tokio::test]
async fn an_event_of_a_newer_schema_is_an_error_that_names_both() {
    let rig = Rig::new().await;
    let (commit, job) = new_job(rig.now());
    rig.store.commit(commit).await.unwrap();
    written_by_another_program(&rig, job.into(), "UploadJobCancelled", 7);
    let refused = rig.store.events(job.into(), Version::NEW).await.unwrap_err();
    assert!(matches!(
        refused,
        LogError::NewerSchema {
            stored: 7,
            known: 1,
            ..
        }
    ));
}

#[tokio::test]
async fn a_search_through_a_long_log_is_done_in_parts() {
    const OTHERS: u64 = 12_000;
    let rig = Rig::new().await;
    let (first, _) = new_job(rig.now());
    rig.store.commit(first).await.unwrap();
    rig.stranger()
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
    let (last, job) = new_job(rig.now());
    let last = rig.store.commit(last).await.unwrap().cursor;
    let wanted = EventFilter {
        event_types: vec!["UploadJob*".to_owned()],
        ..EventFilter::default()
    };
    let (mut cursor, mut found, mut pages) = (Cursor::START, Vec::new(), 0);
    loop {
        let page = rig.store.events_after(cursor, &wanted, 10).await.unwrap();
        assert!(page.scanned_to > cursor, "every page goes on");
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
    // The other way round it is one look into an index.
    let of_job = EventFilter {
        job: Some(job),
        ..EventFilter::default()
    };
    let page = rig.store.events_after(Cursor::START, &of_job, 10).await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to, page.at_end), (1, last, true));
}
