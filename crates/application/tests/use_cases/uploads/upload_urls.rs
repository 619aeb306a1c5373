use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    jobs::{CreateJob, CreateJobHandler, CreatedJob, RawFile, UploadOptions},
    ports::{EventMetadata, InspectError},
};
use rapidphoto_domain::{
    PhotoId,
    job::JobStatus,
    photo::{FailureReason, PhotoEvent, PhotoState, PhotoStatus},
};
use rapidphoto_memory::{DeclaredPhoto, TestApp, fixtures::file};

use crate::support::{
    completions, count,
    jobs::{age_upload_urls, create_with_key},
    recording_journal::RecordingJournal,
};

#[tokio::test]
async fn a_repeated_request_renews_a_hundred_urls_in_a_commit() {
    let mut app = TestApp::new();
    let first = create_with_key(&app, 200).await;
    let journal = RecordingJournal::around(&mut app);
    age_upload_urls(&app);
    let again = create_with_key(&app, 200).await;
    assert_eq!(journal.commits(), 2);
    let end = app.now() + app.settings.uploads.url_lifetime;
    for (item, declared) in again.items.iter().zip(&first.items) {
        assert_eq!(item.photo, declared.photo);
        assert_eq!(item.upload.as_ref().unwrap().expires_at, end);
        assert_eq!(app.photo(item.photo).await.window.url_expires_at, end);
    }
    create_with_key(&app, 200).await;
    assert_eq!(journal.commits(), 2, "new URLs are not renewed");
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn photos_are_renewed_one_by_one_after_repeated_conflicts() {
    let mut app = TestApp::new();
    let first = create_with_key(&app, 6).await;
    let journal = RecordingJournal::around(&mut app);
    age_upload_urls(&app);
    for item in &first.items[..3] {
        let other = journal.unrecorded(&app);
        let photo = item.photo;
        journal.before_next(async move {
            other.finalize(photo).await;
        });
    }
    let again = create_with_key(&app, 6).await;
    let has_url: Vec<_> = again.items.iter().map(|item| item.upload.is_some()).collect();
    assert_eq!(has_url, [true; 6], "no object is there, whatever was reported");
    assert_eq!(journal.commits(), 3 + 3);
    for item in &again.items[3..] {
        let events = app.photo_events(item.photo).await;
        let is_renewal = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoUploadRenewed { .. });
        assert_eq!(count(&events, is_renewal), 1);
    }
}

#[tokio::test]
async fn a_reported_upload_without_an_object_keeps_its_url() {
    let app = TestApp::new();
    let first = create_with_key(&app, 2).await;
    for item in &first.items {
        app.finalize(item.photo).await;
    }
    let [missing, arrived] = &first.items[..] else {
        panic!("two items")
    };
    let arrived = DeclaredPhoto {
        photo: arrived.photo,
        job: arrived.job,
        url: arrived.upload.clone().unwrap(),
    };
    assert_eq!(app.put(&arrived).status, 200);
    let again = create_with_key(&app, 2).await;
    assert_eq!(again.items[0].status, PhotoStatus::Verifying);
    assert!(again.items[1].upload.is_none(), "its object is there");
    let url = again.items[0].upload.clone().unwrap();
    let missing = DeclaredPhoto {
        photo: missing.photo,
        job: missing.job,
        url,
    };
    assert_eq!(app.put(&missing).status, 200);
    app.execute_for(Duration::from_mins(1)).await;
    for item in &first.items {
        assert_eq!(app.status(item.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn a_repeated_request_renews_failed_uploads() {
    let app = TestApp::new();
    // Missing, expired, cancelled, and failed in processing.
    let create = || create_with_upload_ids(&app, 4);
    let first = create().await;
    let photos: Vec<PhotoId> = first.items.iter().map(|item| item.photo).collect();
    // The client is offline for 25 hours: one upload was reported and never took place, one did not begin.
    app.finalize(photos[0]).await;
    app.delete(photos[2]).await;
    app.put(&DeclaredPhoto {
        photo: photos[3],
        job: first.items[3].job,
        url: first.items[3].upload.clone().unwrap(),
    });
    for _ in 0..3 {
        app.inspector
            .answer(Err(InspectError::Failed("requested by a test".to_owned())));
    }
    app.deliver_storage_events().await;
    app.execute_for(Duration::from_hours(25)).await;
    app.completion().catch_up().await.unwrap();
    for (photo, reason) in [
        (photos[0], FailureReason::UploadMissing),
        (photos[1], FailureReason::UploadExpired),
        (photos[3], FailureReason::ProcessingError),
    ] {
        assert_eq!(app.photo(photo).await.state, PhotoState::Failed { reason });
    }
    assert_eq!(
        completions(&app, first.items[0].job).await,
        [(1, JobStatus::Failed)]
    );

    let again = create().await;

    assert!(!again.created);
    let after: Vec<_> = again
        .items
        .iter()
        .map(|item| (item.photo, item.status, item.upload.is_some()))
        .collect();
    let expected = [
        (photos[0], PhotoStatus::Queued, true),
        (photos[1], PhotoStatus::Queued, true),
        (photos[2], PhotoStatus::Cancelled, false),
        (photos[3], PhotoStatus::Failed, false),
    ];
    assert_eq!(after, expected);
    for item in &again.items[..2] {
        let declared = DeclaredPhoto {
            photo: item.photo,
            job: item.job,
            url: item.upload.clone().unwrap(),
        };
        app.upload(std::slice::from_ref(&declared)).await;
        assert_eq!(app.status(item.photo).await, PhotoStatus::Completed);
    }
    app.completion().catch_up().await.unwrap();
    assert_eq!(
        completions(&app, first.items[0].job).await,
        [(1, JobStatus::Failed), (2, JobStatus::CompletedWithErrors)]
    );
    app.assert_rows_match_events().await;
}

/// Creates a job of files with upload ids, or repeats the request.
async fn create_with_upload_ids(app: &TestApp, photos: usize) -> CreatedJob {
    let with_id = |number| RawFile {
        upload_id: Some(format!("8a6e0804-2bd0-4672-b79d-d97027f9071{number}")),
        ..file(number)
    };
    let command = CreateJob {
        owner: app.owner,
        files: (0..photos).map(with_id).collect(),
        options: UploadOptions::default(),
        idempotency_key: None,
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&app.ports, Arc::clone(&app.settings))
        .handle(command)
        .await
        .unwrap()
}
