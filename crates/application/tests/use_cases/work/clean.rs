use std::time::Duration;

use rapidphoto_application::ports::{InspectError, Inspection, ObjectStore, WorkKind};
use rapidphoto_domain::{
    photo::{Check, Finding, PhotoStatus},
    values::ThumbnailEdge,
};
use rapidphoto_memory::{
    DeclaredPhoto, Operation, StubInspector, TestApp,
    fixtures::{BODY, DAY, HOUR},
};

/// Uploads a photo and processes it with these results of the inspector.
async fn processed(app: &TestApp, results: Vec<Result<Inspection, InspectError>>) -> DeclaredPhoto {
    let declared = app.declare_one().await;
    for result in results {
        app.inspector.answer(result);
    }
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    app.execute_for(Duration::from_mins(1)).await;
    declared
}

#[tokio::test]
async fn a_rejected_original_is_deleted_after_seven_days() {
    let app = TestApp::new();
    let rejected = Inspection {
        findings: vec![Finding::without_values(Check::Corrupt)],
        ..StubInspector::good_photo()
    };
    let declared = processed(&app, vec![Ok(rejected)]).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Rejected);
    app.execute_for((7 * 24 - 1) * HOUR).await;
    assert_eq!(app.objects.keys().len(), 1);
    app.execute_for(HOUR).await;
    assert!(app.objects.keys().is_empty());
    assert_eq!(app.next_due(&WorkKind::ALL).await, None);
}

#[tokio::test]
async fn a_failed_original_is_deleted_after_thirty_days() {
    let app = TestApp::new();
    let broken = || Err(InspectError::Failed("requested by a test".to_owned()));
    let declared = processed(&app, vec![broken(), broken(), broken()]).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Failed);
    app.execute_for((30 * 24 - 1) * HOUR).await;
    assert_eq!(app.objects.keys(), [app.original_key(declared.photo)]);
    app.execute_for(HOUR).await;
    assert!(app.objects.keys().is_empty());
}

#[tokio::test]
async fn a_completed_photo_keeps_all_objects() {
    let app = TestApp::new();
    let declared = processed(&app, Vec::new()).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    app.execute_for(DAY * 60).await;
    assert_eq!(app.objects.keys().len(), 3);
}

#[tokio::test]
async fn the_objects_of_a_deleted_photo_are_deleted_at_once() {
    let app = TestApp::new();
    let declared = processed(&app, Vec::new()).await;
    app.delete(declared.photo).await;
    app.execute_due().await;
    assert!(app.objects.keys().is_empty());
}

#[tokio::test]
async fn an_object_that_arrives_after_a_cancellation_is_deleted_without_a_storage_event() {
    for arrives_after in [Duration::from_secs(1), HOUR * 2] {
        let app = TestApp::new();
        let declared = app.declare_one().await;
        app.delete(declared.photo).await;
        app.execute_for(arrives_after).await;
        // A PUT that began before its URL expired can finish much later.
        let key = app.original_key(declared.photo);
        ObjectStore::put(&*app.objects, &key, b"late"[..].into(), "image/jpeg")
            .await
            .unwrap();
        app.execute_for(DAY + HOUR).await;
        assert!(app.objects.keys().is_empty(), "{arrives_after:?}");
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
    }
}

#[tokio::test]
async fn an_object_that_is_written_after_the_first_cleaning_is_deleted_by_the_second() {
    let app = TestApp::new();
    let declared = processed(&app, Vec::new()).await;
    app.execute_for(DAY * 3).await;
    app.delete(declared.photo).await;
    app.execute_due().await;
    let key = app.thumbnail_key(declared.photo, ThumbnailEdge::Small);
    ObjectStore::put(&*app.objects, &key, b"orphan"[..].into(), "image/jpeg")
        .await
        .unwrap();
    app.execute_for(HOUR).await;
    assert!(app.objects.keys().is_empty());
    assert_eq!(app.next_due(&WorkKind::ALL).await, None);
}

#[tokio::test]
async fn cleaning_is_retried_during_an_outage_of_storage() {
    let app = TestApp::new();
    let declared = processed(&app, Vec::new()).await;
    app.objects.faults().fail_next(Operation::Delete, 50);
    app.delete(declared.photo).await;
    app.execute_for(DAY).await;
    assert!(app.objects.keys().is_empty());
}

#[tokio::test]
async fn a_failed_upload_is_not_cleaned_before_the_last_look() {
    for arrives_after in [Duration::from_secs(1), HOUR * 2, DAY] {
        let app = TestApp::with_settings(|settings| settings.work.keep_failed = Duration::from_mins(10));
        let declared = app.declare_one().await;
        app.finalize(declared.photo).await;
        app.execute_for(Duration::from_mins(2)).await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Failed);
        app.execute_for(arrives_after).await;
        // A PUT that began before its URL expired, and whose storage event is lost.
        let key = app.original_key(declared.photo);
        ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
            .await
            .unwrap();
        app.execute_for(DAY * 2).await;
        assert_eq!(
            app.status(declared.photo).await,
            PhotoStatus::Completed,
            "{arrives_after:?}"
        );
        assert_eq!(app.objects.keys().len(), 3);
    }
}

#[tokio::test]
async fn a_failed_upload_is_cleaned_after_the_last_look() {
    let app = TestApp::with_settings(|settings| settings.work.keep_failed = Duration::from_mins(10));
    let declared = app.declare_one().await;
    app.execute_for(DAY * 2).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Failed);
    let key = app.original_key(declared.photo);
    assert_eq!(app.next_due(&WorkKind::ALL).await, None);
    assert!(!app.objects.keys().contains(&key));
}
