use rapidphoto_domain::{PhotoId, photo::PhotoStatus, values::ThumbnailEdge};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, OTHER_USER},
};

#[tokio::test]
async fn a_photo_is_shown_from_its_declaration_on() {
    let app = TestApp::new();
    let show = app.use_cases().show_photo;
    let declared_at = app.now();
    let declared = app.declare_one().await;
    let queued = show.handle(app.owner, declared.photo).await.unwrap().unwrap();
    assert_eq!(queued.view.photo.id, declared.photo);
    assert_eq!(queued.view.photo.status(), PhotoStatus::Queued);
    assert_eq!(queued.view.photo.declared.bytes, BODY.len() as u64);
    assert_eq!(queued.view.filename.as_str(), "0.jpg");
    assert_eq!(queued.view.created_at, declared_at);
    assert!(queued.thumbnails.is_empty());
    app.clock.advance(app.settings.uploads.url_lifetime / 2);
    app.upload(std::slice::from_ref(&declared)).await;
    let completed = show.handle(app.owner, declared.photo).await.unwrap().unwrap();
    assert_eq!(completed.view.photo.status(), PhotoStatus::Completed);
    assert_eq!(completed.view.created_at, declared_at);
    assert_eq!(completed.view.updated_at, app.now());
    let cancelled = app.declare_one().await.photo;
    app.delete(cancelled).await;
    let cancelled = show.handle(app.owner, cancelled).await.unwrap().unwrap();
    assert_eq!(cancelled.view.photo.status(), PhotoStatus::Cancelled);
    assert!(cancelled.thumbnails.is_empty());
}

#[tokio::test]
async fn the_urls_of_thumbnails_expire() {
    let app = TestApp::new();
    let show = app.use_cases().show_photo;
    let photo = app.upload_one().await.photo;
    let completed = show.handle(app.owner, photo).await.unwrap().unwrap();
    assert_eq!(completed.thumbnails.len(), ThumbnailEdge::ALL.len());
    for (thumbnail, edge) in completed.thumbnails.iter().zip(ThumbnailEdge::ALL) {
        assert_eq!(thumbnail.thumbnail.edge, edge);
        let response = app.objects.get_as_client(&thumbnail.url.url);
        assert_eq!(response.status, 200);
        assert_eq!(
            Some(response.body),
            app.objects.bytes(&app.thumbnail_key(photo, edge))
        );
        assert_eq!(
            response.headers,
            [("content-type".to_owned(), "image/jpeg".to_owned())],
            "a thumbnail is displayed, not downloaded"
        );
        assert_eq!(
            thumbnail.url.expires_at,
            app.now() + app.settings.uploads.url_lifetime
        );
    }
    app.clock.advance(app.settings.uploads.url_lifetime);
    for thumbnail in &completed.thumbnails {
        assert_eq!(app.objects.get_as_client(&thumbnail.url.url).status, 403);
    }
}

#[tokio::test]
async fn unknown_and_deleted_photos_and_photos_of_other_users_are_not_found() {
    let app = TestApp::new();
    let show = app.use_cases().show_photo;
    let photo = app.upload_one().await.photo;
    assert_eq!(show.handle(OTHER_USER, photo).await.unwrap(), None);
    assert_eq!(show.handle(app.owner, PhotoId::from_bits(1)).await.unwrap(), None);
    app.delete(photo).await;
    assert_eq!(show.handle(app.owner, photo).await.unwrap(), None);
}

#[tokio::test]
async fn photos_are_unavailable_during_an_outage() {
    let app = TestApp::new();
    let show = app.use_cases().show_photo;
    let photo = app.upload_one().await.photo;
    app.store.faults().fail_next(Operation::Read, 1);
    assert!(show.handle(app.owner, photo).await.is_err());
    app.objects.faults().fail_next(Operation::Bucket, 1);
    assert!(show.handle(app.owner, photo).await.is_err());
    assert!(show.handle(app.owner, photo).await.is_ok());
}
