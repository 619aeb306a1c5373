use rapidphoto_application::photos::HistoryError;
use rapidphoto_domain::{DomainEvent, PhotoId, StreamId, photo::PhotoEvent};
use rapidphoto_memory::{Operation, TestApp, fixtures::OTHER_USER};

#[tokio::test]
async fn a_history_has_all_events_of_its_photo_in_order() {
    let app = TestApp::new();
    let history = app.use_cases().photo_history;
    let declared = app.declare(2).await;
    let photo = declared[0].photo;
    let queued = history.handle(app.owner, photo).await.unwrap();
    assert_eq!(queued.len(), 1);
    assert!(matches!(
        queued[0].event,
        DomainEvent::Photo(PhotoEvent::PhotoQueued { .. })
    ));
    app.upload(&declared).await;
    let completed = history.handle(app.owner, photo).await.unwrap();
    assert_eq!(completed[0], queued[0]);
    assert!(matches!(
        completed.last().unwrap().event,
        DomainEvent::Photo(PhotoEvent::PhotoProcessingCompleted { .. })
    ));
    let mut expected = app.log().await;
    expected.retain(|stored| stored.stream == StreamId::Photo(photo));
    assert_eq!(completed, expected);
    let versions: Vec<u64> = completed.iter().map(|stored| stored.version.0).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn the_history_of_a_cancelled_photo_ends_with_its_cancellation() {
    let app = TestApp::new();
    let history = app.use_cases().photo_history;
    let photo = app.declare_one().await.photo;
    app.delete(photo).await;
    let events = history.handle(app.owner, photo).await.unwrap();
    assert!(matches!(
        events.last().unwrap().event,
        DomainEvent::Photo(PhotoEvent::PhotoCancelled {})
    ));
}

#[tokio::test]
async fn unknown_and_deleted_photos_and_photos_of_other_users_are_not_found() {
    let app = TestApp::new();
    let history = app.use_cases().photo_history;
    let photo = app.upload_one().await.photo;
    let deleted = app.upload_one().await.photo;
    app.delete(deleted).await;
    for (owner, photo) in [
        (OTHER_USER, photo),
        (app.owner, PhotoId::from_bits(1)),
        (app.owner, deleted),
    ] {
        let result = history.handle(owner, photo).await;
        assert!(matches!(result, Err(HistoryError::NoSuchPhoto)), "{result:?}");
    }
}

#[tokio::test]
async fn histories_are_unavailable_during_an_outage() {
    let app = TestApp::new();
    let history = app.use_cases().photo_history;
    let photo = app.upload_one().await.photo;
    app.store.faults().fail_next(Operation::Read, 1);
    let result = history.handle(app.owner, photo).await;
    assert!(matches!(result, Err(HistoryError::Unavailable(_))), "{result:?}");
    assert!(history.handle(app.owner, photo).await.is_ok());
}
