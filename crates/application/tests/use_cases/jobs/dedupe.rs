//! Files that the user has already.

use std::sync::Arc;

use rapidphoto_application::{
    jobs::{CreateJob, CreateJobHandler, CreatedJob, RawFile, UploadOptions, UploadStrategy},
    ports::{EventMetadata, IdempotencyKey},
};
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::{
    TestApp,
    fixtures::{self, OTHER_USER},
};

const DEDUPE: UploadOptions = UploadOptions {
    dedupe: true,
    ..DEFAULT
};
const DEFAULT: UploadOptions = UploadOptions {
    strategy: UploadStrategy::Auto,
    part_size: None,
    dedupe: false,
};

async fn create(app: &TestApp, files: Vec<RawFile>, options: UploadOptions, key: Option<&str>) -> CreatedJob {
    let command = CreateJob {
        owner: app.owner,
        files,
        options,
        idempotency_key: key.and_then(IdempotencyKey::parse),
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&app.ports, Arc::clone(&app.settings))
        .handle(command)
        .await
        .unwrap()
}

fn other_content(number: usize) -> RawFile {
    RawFile {
        checksum: Some(("sha256".to_owned(), "ab".repeat(32))),
        ..fixtures::file(number)
    }
}

#[tokio::test]
async fn a_file_that_the_user_has_completed_is_answered_with_its_photo() {
    let app = TestApp::new();
    let had = app.upload_one().await;
    let upload_id = "0191a0e0-0000-4000-8000-000000000001";
    let named = RawFile {
        upload_id: Some(upload_id.to_owned()),
        ..fixtures::file(1)
    };
    let unknown = RawFile {
        checksum: None,
        ..fixtures::file(3)
    };
    let files = vec![fixtures::file(0), named, other_content(2), unknown];
    for _ in 0..2 {
        let created = create(&app, files.clone(), DEDUPE, Some("key")).await;
        let duplicates: Vec<_> = created.items.iter().map(|item| item.duplicate_of).collect();
        assert_eq!(duplicates, [Some(had.photo), Some(had.photo), None, None]);
        for item in &created.items[..2] {
            assert_eq!(
                (item.photo, item.job, item.status),
                (had.photo, had.job, PhotoStatus::Completed)
            );
            assert!(item.upload.is_none() && item.parts.is_none());
        }
        assert_eq!(created.items[1].upload_id.to_string(), upload_id);
        assert!(created.items[2].upload.is_some() && created.items[3].upload.is_some());
        assert_eq!(app.job(created.job.unwrap()).await.photo_count, 2);
    }
}

#[tokio::test]
async fn a_batch_of_duplicates_creates_no_job() {
    let app = TestApp::new();
    let had = app.upload_one().await;
    let events = app.log().await.len();
    let created = create(&app, vec![fixtures::file(0)], DEDUPE, None).await;
    assert_eq!((created.created, created.job), (false, Some(had.job)));
    assert_eq!(created.items[0].duplicate_of, Some(had.photo));
    assert_eq!(app.log().await.len(), events);
}

#[tokio::test]
async fn only_completed_photos_of_the_same_user_are_duplicates_and_only_on_request() {
    let app = TestApp::new();
    let others = app.declare_as(OTHER_USER, 1).await;
    app.upload(&others).await;
    let open = app.declare_one().await;
    let is_new = async |options| {
        let created = create(&app, vec![fixtures::file(0)], options, None).await;
        created.created && created.items[0].duplicate_of.is_none()
    };
    assert!(is_new(DEDUPE).await, "the user's own photo is not uploaded yet");
    app.upload(std::slice::from_ref(&open)).await;
    assert!(is_new(DEFAULT).await);
    assert!(!is_new(DEDUPE).await);
    assert!(app.delete(open.photo).await.deleted);
    assert!(is_new(DEDUPE).await, "a deleted photo is none");
}
