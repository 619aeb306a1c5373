use std::time::Duration;

use rapidphoto_application::{
    jobs::{CreateJob, CreateJobError, CreateJobHandler, CreatedJob, NotAdmitted, Quota, RawFile},
    ports::{EventMetadata, Unavailable},
};
use rapidphoto_memory::{TestApp, fixtures};

async fn create(app: &TestApp, files: Vec<RawFile>) -> Result<CreatedJob, CreateJobError> {
    let command = CreateJob {
        owner: app.owner,
        files,
        idempotency_key: None,
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&app.ports, app.settings.clone())
        .handle(command)
        .await
}

async fn refused(app: &TestApp, photos: usize) -> NotAdmitted {
    match create(app, (0..photos).map(fixtures::file).collect()).await {
        Err(CreateJobError::NotAdmitted(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_beyond_the_open_photos_is_refused_until_some_have_ended() {
    let app = TestApp::with(|settings, _| settings.quotas.open_photos = 3);
    let declared = app.declare(2).await;
    let expected = NotAdmitted::Quota {
        quota: Quota::OpenPhotos,
        used: 2,
        requested: 2,
        allowed: 3,
        retry_after: Some(Duration::from_mins(1)),
    };
    assert_eq!(refused(&app, 2).await, expected);
    app.declare(1).await;
    app.delete(declared[0].photo).await;
    app.upload(&declared[1..]).await;
    app.declare(2).await;
}

#[tokio::test]
async fn stored_bytes_are_refused_until_photos_are_deleted() {
    let size = fixtures::file(0).bytes;
    let app = TestApp::with(|settings, _| settings.quotas.stored_bytes = 2 * size);
    let done = app.upload_one().await;
    let expected = NotAdmitted::Quota {
        quota: Quota::StoredBytes,
        used: size,
        requested: 2 * size,
        allowed: 2 * size,
        retry_after: None,
    };
    assert_eq!(refused(&app, 2).await, expected);
    app.delete(done.photo).await;
    app.declare(2).await;
}

#[tokio::test]
async fn photos_of_a_day_are_refused_until_midnight() {
    let app = TestApp::with(|settings, _| settings.quotas.photos_per_day = 2);
    app.declare(2).await;
    let NotAdmitted::Quota {
        quota: Quota::PhotosPerDay,
        retry_after: Some(wait),
        ..
    } = refused(&app, 1).await
    else {
        panic!("no wait");
    };
    app.clock
        .advance(wait.checked_sub(Duration::from_secs(1)).unwrap());
    refused(&app, 1).await;
    app.clock.advance(Duration::from_secs(1));
    app.declare(2).await;
}

#[tokio::test]
async fn a_repeated_request_is_never_refused() {
    let app = TestApp::with(|settings, _| settings.quotas.open_photos = 1);
    let file = RawFile {
        upload_id: Some("0191a0e0-0000-4000-8000-000000000001".to_owned()),
        ..fixtures::file(0)
    };
    let first = create(&app, vec![file.clone()]).await.unwrap();
    app.free_space.set(0);
    let again = create(&app, vec![file]).await.unwrap();
    assert_eq!(again.items[0].photo, first.items[0].photo);
    assert!(again.items[0].upload.is_some());
}

#[tokio::test]
async fn jobs_leave_the_reserved_space_free() {
    let app = TestApp::new();
    let reserved = app.settings.quotas.min_free_bytes;
    let requested = fixtures::file(0).bytes;
    app.free_space.set(reserved + requested - 1);
    let expected = NotAdmitted::Space {
        free: reserved + requested - 1,
        reserved,
        requested,
    };
    assert_eq!(refused(&app, 1).await, expected);
    app.free_space.set(reserved + requested);
    app.declare(1).await;
}

#[tokio::test]
async fn jobs_are_refused_while_photos_wait_too_long() {
    let app = TestApp::with(|settings, _| settings.quotas.max_work_age = Duration::from_mins(1));
    let declared = app.declare_one().await;
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    app.declare(1).await;
    app.clock.advance(Duration::from_secs(61));
    let NotAdmitted::Backlog { age, .. } = refused(&app, 1).await else {
        panic!("another reason");
    };
    assert!(age > Duration::from_mins(1), "{age:?}");
    app.execute_due().await;
    app.declare(1).await;
}

#[tokio::test]
async fn jobs_are_refused_while_no_photo_can_be_inspected_for_too_long() {
    let app = TestApp::with(|settings, _| settings.quotas.max_work_age = Duration::from_mins(1));
    for _ in 0..100 {
        let outage = Unavailable::inspection("requested by a test");
        app.inspector.answer(Err(outage.into()));
    }
    app.upload_one().await;
    app.execute_for(Duration::from_mins(2)).await;
    let NotAdmitted::Backlog { age, .. } = refused(&app, 1).await else {
        panic!("another reason");
    };
    assert!(age > Duration::from_mins(1), "{age:?}");
}

#[tokio::test]
async fn a_file_of_an_unreadable_type_is_refused_with_the_readable_ones() {
    let app = TestApp::with(|settings, _| {
        settings.uploads.readable_types = &[rapidphoto_domain::values::MimeType::Jpeg];
    });
    let heic = RawFile {
        mime_type: "image/heic".to_owned(),
        filename: "a.heic".to_owned(),
        ..fixtures::file(0)
    };
    let Err(CreateJobError::Files(problems)) = create(&app, vec![fixtures::file(0), heic]).await else {
        panic!("it is accepted");
    };
    assert_eq!(
        (problems[0].index, problems[0].field, problems[0].code),
        (1, "mimeType", "unsupported_type")
    );
    assert!(
        problems[0].message.ends_with("must be one of image/jpeg"),
        "{}",
        problems[0].message
    );
}
