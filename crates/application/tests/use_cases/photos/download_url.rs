use rapidphoto_application::{
    jobs::RawFile,
    photos::{DownloadUrl, DownloadUrlError, Variant},
    ports::Inspection,
};
use rapidphoto_domain::{PhotoId, UserId, photo::PhotoStatus, values::ThumbnailEdge};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, OTHER_USER, file},
};

async fn original(app: &TestApp, owner: UserId, photo: PhotoId) -> Result<String, DownloadUrlError> {
    download_url(app, owner, photo, Variant::Original).await
}

async fn download_url(
    app: &TestApp,
    owner: UserId,
    photo: PhotoId,
    variant: Variant,
) -> Result<String, DownloadUrlError> {
    let query = DownloadUrl {
        owner,
        photo,
        variant,
    };
    let url = app.use_cases().download_url.handle(query).await?;
    assert_eq!(url.expires_at, app.now() + app.settings.uploads.url_lifetime);
    Ok(url.url)
}

/// Completes a photo with this filename.
async fn complete_named(app: &TestApp, filename: &str) -> PhotoId {
    let file = RawFile {
        filename: filename.to_owned(),
        ..file(0)
    };
    let declared = app.declare_files(app.owner, vec![file]).await;
    app.upload(&declared).await;
    declared[0].photo
}

#[tokio::test]
async fn each_file_of_a_completed_photo_is_downloaded_with_a_filename() {
    let app = TestApp::new();
    let photo = complete_named(&app, "beach.old.jpeg").await;
    for (variant, key, name) in [
        (Variant::Original, app.original_key(photo), "beach.old.jpeg"),
        (
            Variant::Thumbnail(ThumbnailEdge::Small),
            app.thumbnail_key(photo, ThumbnailEdge::Small),
            "beach.old-256.jpg",
        ),
        (
            Variant::Thumbnail(ThumbnailEdge::Large),
            app.thumbnail_key(photo, ThumbnailEdge::Large),
            "beach.old-1024.jpg",
        ),
    ] {
        let url = download_url(&app, app.owner, photo, variant).await.unwrap();
        let response = app.objects.get_as_client(&url);
        assert_eq!(response.status, 200);
        assert_eq!(Some(&response.body), app.objects.bytes(&key).as_ref());
        assert_eq!(response.body == BODY, variant == Variant::Original);
        let header = |name: &str| {
            let mut headers = response.headers.iter();
            headers.find(|(known, _)| known == name).unwrap().1.clone()
        };
        assert_eq!(header("content-type"), "image/jpeg");
        let disposition = format!("attachment; filename*=UTF-8''{name}");
        assert_eq!(header("content-disposition"), disposition);
    }
}

#[tokio::test]
async fn the_filename_of_a_thumbnail_is_never_too_long() {
    let app = TestApp::new();
    let long = format!("{}.jpg", "x".repeat(250));
    let photo = complete_named(&app, &long).await;
    let variant = Variant::Thumbnail(ThumbnailEdge::Small);
    let url = download_url(&app, app.owner, photo, variant).await.unwrap();
    let headers = app.objects.get_as_client(&url).headers;
    assert!(
        headers.iter().any(|(_, value)| value.ends_with(&long)),
        "{headers:?}"
    );
}

#[tokio::test]
async fn download_urls_expire() {
    let app = TestApp::new();
    let photo = app.upload_one().await.photo;
    let url = original(&app, app.owner, photo).await.unwrap();
    app.clock.advance(app.settings.uploads.url_lifetime);
    assert_eq!(app.objects.get_as_client(&url).status, 403);
    let url = original(&app, app.owner, photo).await.unwrap();
    assert_eq!(app.objects.get_as_client(&url).status, 200);
}

#[tokio::test]
async fn only_completed_photos_can_be_downloaded() {
    let app = TestApp::new();
    let queued = app.declare_one().await.photo;
    let cancelled = app.declare_one().await.photo;
    app.delete(cancelled).await;
    app.inspector.answer(Ok(Inspection::default()));
    let rejected = app.upload_one().await.photo;
    let verifying = app.declare_one().await.photo;
    app.finalize(verifying).await;
    for (photo, expected) in [
        (queued, PhotoStatus::Queued),
        (verifying, PhotoStatus::Verifying),
        (cancelled, PhotoStatus::Cancelled),
        (rejected, PhotoStatus::Rejected),
    ] {
        match original(&app, app.owner, photo).await {
            Err(DownloadUrlError::NotCompleted { status }) => assert_eq!(status, expected),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn unknown_and_deleted_photos_and_photos_of_other_users_are_not_found() {
    let app = TestApp::new();
    let photo = app.upload_one().await.photo;
    let deleted = app.upload_one().await.photo;
    app.delete(deleted).await;
    for (owner, photo) in [
        (OTHER_USER, photo),
        (app.owner, PhotoId::from_bits(1)),
        (app.owner, deleted),
    ] {
        let result = original(&app, owner, photo).await;
        assert!(matches!(result, Err(DownloadUrlError::NoSuchPhoto)), "{result:?}");
    }
}

#[tokio::test]
async fn download_urls_are_unavailable_during_an_outage() {
    let app = TestApp::new();
    let photo = app.upload_one().await.photo;
    app.store.faults().fail_next(Operation::Read, 1);
    let result = original(&app, app.owner, photo).await;
    assert!(
        matches!(result, Err(DownloadUrlError::Unavailable(_))),
        "{result:?}"
    );
    app.objects.faults().fail_next(Operation::Bucket, 1);
    let result = original(&app, app.owner, photo).await;
    assert!(
        matches!(result, Err(DownloadUrlError::Unavailable(_))),
        "{result:?}"
    );
    assert!(original(&app, app.owner, photo).await.is_ok());
}
