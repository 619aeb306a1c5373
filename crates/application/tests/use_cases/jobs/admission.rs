use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::join_all;

use rapidphoto_application::{
    jobs::{
        CreateJob, CreateJobError, CreateJobHandler, CreatedJob, NotAdmitted, Quota, RawFile, UploadOptions,
    },
    ports::{EventMetadata, IdempotencyKey, Unavailable, Usage, UsageReads},
};
use rapidphoto_domain::{Timestamp, UserId};
use rapidphoto_memory::{TestApp, fixtures};

async fn create(app: &TestApp, files: Vec<RawFile>) -> Result<CreatedJob, CreateJobError> {
    let command = CreateJob {
        owner: app.owner,
        files,
        options: UploadOptions::default(),
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

/// Usage that is read slowly, so that requests at the same time read it before any of them has committed.
struct SlowUsage(Arc<dyn UsageReads>);

#[async_trait]
impl UsageReads for SlowUsage {
    async fn usage(&self, owner: UserId, day: Timestamp) -> Result<Usage, Unavailable> {
        let usage = self.0.usage(owner, day).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        usage
    }

    async fn oldest_due(&self, owner: UserId) -> Result<Option<Duration>, Unavailable> {
        self.0.oldest_due(owner).await
    }

    async fn least_delay(&self, owners: usize) -> Result<Option<Duration>, Unavailable> {
        self.0.least_delay(owners).await
    }
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_keep_a_quota_together() {
    let app = TestApp::with(|settings, ports| {
        settings.quotas.open_photos = 5;
        ports.database.usage = Arc::new(SlowUsage(Arc::clone(&ports.database.usage)));
    });
    let handler = CreateJobHandler::new(&app.ports, app.settings.clone());
    let create = || {
        handler.handle(CreateJob {
            owner: app.owner,
            files: (0..2).map(fixtures::file).collect(),
            options: UploadOptions::default(),
            idempotency_key: None,
            metadata: EventMetadata::default(),
        })
    };
    let results = join_all((0..10).map(|_| create())).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    // Refused files are not reserved.
    assert!(matches!(
        refused(&app, 2).await,
        NotAdmitted::Quota { used: 4, .. }
    ));
    app.declare(1).await;
}

#[tokio::test]
async fn failed_uploads_begin_again_within_the_open_photos() {
    let app = TestApp::with(|settings, _| settings.quotas.open_photos = 1);
    let file = RawFile {
        upload_id: Some("0191a0e0-0000-4000-8000-000000000001".to_owned()),
        ..fixtures::file(0)
    };
    create(&app, vec![file.clone()]).await.unwrap();
    app.clock
        .advance(app.settings.uploads.window + Duration::from_hours(1));
    app.execute_due().await;
    let other = app.declare_one().await;
    let again = create(&app, vec![file.clone()]).await;
    assert!(
        matches!(
            again,
            Err(CreateJobError::NotAdmitted(NotAdmitted::Quota { used: 1, .. }))
        ),
        "{again:?}"
    );
    app.delete(other.photo).await;
    let again = create(&app, vec![file]).await.unwrap();
    assert!(again.items[0].upload.is_some());
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
async fn a_request_that_creates_nothing_stores_no_idempotency_key() {
    let app = TestApp::new();
    let send = async |key: &str| {
        let key = IdempotencyKey::parse(key).unwrap();
        let command = CreateJob {
            owner: app.owner,
            files: vec![RawFile {
                upload_id: Some("0191a0e0-0000-4000-8000-000000000001".to_owned()),
                ..fixtures::file(0)
            }],
            options: UploadOptions::default(),
            idempotency_key: Some(key.clone()),
            metadata: EventMetadata::default(),
        };
        let handler = CreateJobHandler::new(&app.ports, app.settings.clone());
        handler.handle(command).await.unwrap();
        let keys = &app.ports.database.idempotency;
        keys.idempotency(app.owner, &key, app.now())
            .await
            .unwrap()
            .is_some()
    };
    assert!(send("first").await);
    assert!(!send("second").await);
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
async fn a_users_backlog_refuses_nobody_else_until_all_of_many_owners_wait_too_long() {
    let app = TestApp::with(|settings, _| settings.quotas.max_work_age = Duration::from_mins(1));
    let upload_as = async |owner| {
        let declared = app.declare_as(owner, 1).await.remove(0);
        assert_eq!(app.put(&declared).status, 200);
        app.deliver_storage_events().await;
    };
    let stranger = |index: u128| UserId::from_bits(1000 + index);
    upload_as(stranger(0)).await;
    app.clock.advance(Duration::from_secs(61));
    app.declare(1).await;
    for index in 1..100_u128 {
        upload_as(stranger(index)).await;
    }
    app.clock.advance(Duration::from_secs(59));
    app.declare(1).await;
    app.clock.advance(Duration::from_secs(2));
    assert!(matches!(refused(&app, 1).await, NotAdmitted::Backlog { .. }));
    app.execute_due().await;
    app.clock.advance(Duration::from_secs(1));
    app.declare(1).await;
}

#[tokio::test]
async fn a_file_of_an_unreadable_type_is_refused_with_the_readable_ones() {
    let app = TestApp::with(|settings, _| {
        settings.uploads.readable_types = &[rapidphoto_domain::values::MimeType::Jpeg];
    });
    // One that is known, and one that is not.
    for mime_type in ["image/heic", "image/bmp"] {
        let file = RawFile {
            mime_type: mime_type.to_owned(),
            filename: "a".to_owned(),
            ..fixtures::file(0)
        };
        let Err(CreateJobError::Files(problems)) = create(&app, vec![fixtures::file(0), file]).await else {
            panic!("it is accepted");
        };
        assert_eq!(
            (problems[0].index, problems[0].field, problems[0].code),
            (1, "mimeType", "unsupported_type")
        );
        assert_eq!(
            problems[0].message,
            format!("the type must be one of image/jpeg, not `{mime_type}`")
        );
    }
}
