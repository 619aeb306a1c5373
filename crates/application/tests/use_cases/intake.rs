use rapidphoto_application::ports::MessageError;
use rapidphoto_domain::{
    PhotoId,
    photo::{PhotoEvent, PhotoState, PhotoStatus},
    values::ThumbnailEdge,
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, OTHER_USER},
};
use serde_json::json;

use crate::support::count;

/// Message about the creation of objects with these keys, with a wrong size and entity tag.
fn message(bucket: &str, keys: &[String]) -> String {
    let record = |key: &String| {
        json!({
            "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 3, "eTag": "not-true" } }
        })
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}

fn is_reported(event: &PhotoEvent) -> bool {
    matches!(event, PhotoEvent::PhotoUploadCompleted {})
}

#[tokio::test]
async fn a_storage_event_starts_the_processing_of_its_photo() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn repeated_events_have_one_result() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    let event = app.objects.take_announcements().remove(0);
    for round in 0..5 {
        app.receive(event.clone()).await.unwrap();
        if round % 2 == 0 {
            app.execute_due().await;
        }
    }
    let events = app.photo_events(declared.photo).await;
    assert_eq!(count(&events, is_reported), 1);
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoProcessingCompleted { .. }
        )),
        1
    );
}

#[tokio::test]
async fn the_order_of_events_does_not_matter() {
    let app = TestApp::new();
    let declared = app.declare(4).await;
    for declared in &declared {
        assert_eq!(app.put(declared).status, 200);
    }
    let mut events = app.objects.take_announcements();
    events.reverse();
    for event in events.clone().into_iter().chain(events) {
        app.receive(event).await.unwrap();
    }
    app.execute_due().await;
    for declared in declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn an_event_of_a_rejected_put_completes_no_photo() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    let rejected = app
        .objects
        .put_as_client(&declared.url, &b"of another length"[..]);
    assert_ne!(rejected.status, 200);
    app.receive(message("uploads", &[app.original_key(declared.photo)]))
        .await
        .unwrap();
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
    app.execute_for(std::time::Duration::from_mins(2)).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Failed);
    // The client uploads again before its URL expires.
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn the_size_in_an_event_is_not_used() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    app.receive(message("uploads", &[app.original_key(declared.photo)]))
        .await
        .unwrap();
    app.execute_due().await;
    let photo = app.photo(declared.photo).await;
    let PhotoState::Completed { result } = photo.state else {
        panic!("{:?}", photo.state);
    };
    assert_eq!(result.object.bytes, BODY.len() as u64);
}

#[tokio::test]
async fn all_records_of_a_message_are_processed() {
    let app = TestApp::new();
    let declared = app.declare(5).await;
    let mut keys: Vec<_> = declared
        .iter()
        .map(|declared| app.original_key(declared.photo))
        .collect();
    keys.insert(2, "another/application/object".to_owned());
    app.receive(message("uploads", &keys)).await.unwrap();
    for declared in declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
    }
}

#[tokio::test]
async fn events_of_other_buckets_keys_owners_and_photos_are_ignored() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    let before = app.log().await.len();
    let keys = &app.settings.storage.keys;
    app.receive(message("another", &[app.original_key(declared.photo)]))
        .await
        .unwrap();
    let others = [
        keys.original(OTHER_USER, declared.photo),
        keys.original(app.owner, PhotoId::from_bits(4)),
        app.thumbnail_key(declared.photo, ThumbnailEdge::Small),
        format!("prod/{}/{}/original", app.owner, declared.photo),
    ];
    app.receive(message("uploads", &others)).await.unwrap();
    app.receive(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#)
        .await
        .unwrap();
    assert_eq!(app.log().await.len(), before);
}

#[tokio::test]
async fn valid_records_of_a_malformed_message_are_processed() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    assert!(matches!(
        app.receive("hello").await,
        Err(MessageError::Malformed(_))
    ));
    let mixed = json!({ "Records": [
        { "eventName": "ObjectCreated:Put" },
        { "eventName": "ObjectCreated:Put",
          "s3": { "bucket": { "name": "uploads" }, "object": { "key": app.original_key(declared.photo) } } },
    ] });
    assert!(matches!(
        app.receive(mixed.to_string()).await,
        Err(MessageError::Malformed(_))
    ));
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
}

#[tokio::test]
async fn a_message_is_redelivered_after_an_outage_of_the_database() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    let event = app.objects.take_announcements().remove(0);
    for fault in [Operation::Read, Operation::Commit] {
        app.store.faults().fail_next(fault, 1);
        assert!(matches!(
            app.receive(event.clone()).await,
            Err(MessageError::Unavailable(_))
        ));
    }
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Queued);
    app.store.faults().lose_answers(Operation::Commit, 1);
    assert!(matches!(
        app.receive(event.clone()).await,
        Err(MessageError::Unavailable(_))
    ));
    assert_eq!(
        app.status(declared.photo).await,
        PhotoStatus::Verifying,
        "the commit was stored"
    );
    app.receive(event).await.unwrap();
    assert_eq!(count(&app.photo_events(declared.photo).await, is_reported), 1);
}

#[tokio::test]
async fn the_object_of_a_late_put_to_a_cancelled_photo_is_deleted() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    assert_eq!(app.delete(declared.photo).await.status(), PhotoStatus::Cancelled);
    app.execute_due().await;
    assert_eq!(app.put(&declared).status, 200);
    assert_eq!(app.objects.keys(), [app.original_key(declared.photo)]);
    app.deliver_storage_events().await;
    app.execute_due().await;
    assert!(app.objects.keys().is_empty());
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Cancelled);
}
