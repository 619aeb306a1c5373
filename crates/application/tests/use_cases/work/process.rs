use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{
    Camera, InspectError, Inspection, ObjectStore, PhotoMetadata, PhotoReads, WorkKind, WorkQueue,
};
use rapidphoto_domain::{
    PhotoId,
    photo::{Check, FailureReason, Finding, PhotoState, PhotoStatus},
    values::{MimeType, ThumbnailEdge},
};
use rapidphoto_memory::{Operation, StubInspector, TestApp, fixtures::BODY};

use crate::support::{photo_with_due_work, rejection_reasons};

async fn findings(app: &TestApp, photo: PhotoId) -> Vec<Finding> {
    match app.photo(photo).await.state {
        PhotoState::Rejected { reasons } => reasons,
        state => panic!("{state:?}"),
    }
}

#[tokio::test]
async fn a_valid_photo_is_completed_with_thumbnails_and_metadata() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    let camera = Camera {
        model: Some("a camera".to_owned()),
        ..Camera::default()
    };
    app.inspector.answer(Ok(Inspection {
        metadata: PhotoMetadata {
            camera: Some(camera),
            ..PhotoMetadata::default()
        },
        ..StubInspector::good_photo()
    }));
    app.execute_due().await;
    let view = PhotoReads::photo(&app.store, app.owner, declared.photo)
        .await
        .unwrap()
        .unwrap();
    let PhotoState::Completed { result } = &view.photo.state else {
        panic!("{:?}", view.photo.state);
    };
    assert_eq!(
        (result.width, result.height, result.mime_type),
        (4032, 3024, MimeType::Jpeg)
    );
    assert!(view.hashes.measured.is_some());
    assert_eq!(view.hashes.measured, view.hashes.declared);
    assert_eq!(result.completed_at, app.now());
    assert_eq!(view.metadata.camera.unwrap().model.as_deref(), Some("a camera"));
    for edge in ThumbnailEdge::ALL {
        assert!(
            app.objects
                .bytes(&app.thumbnail_key(declared.photo, edge))
                .is_some()
        );
        assert!(result.thumbnails.iter().any(|thumbnail| thumbnail.edge == edge));
    }
    let (bytes, limits) = app.inspector.inspected().remove(0);
    assert_eq!(bytes, BODY);
    assert_eq!(limits.max_pixels, app.settings.checks.max_pixels);
}

#[tokio::test]
async fn a_rejected_photo_has_all_reasons_and_keeps_only_its_original() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    app.inspector.answer(Ok(Inspection {
        mime_type: Some(MimeType::Png),
        findings: vec![
            Finding::without_values(Check::Corrupt),
            Finding::measured(Check::TooManyPixels, 200_000_000, 100_000_000),
        ],
        thumbnails: Vec::new(),
        ..StubInspector::good_photo()
    }));
    app.execute_due().await;
    let findings = findings(&app, declared.photo).await;
    assert_eq!(
        findings.iter().map(|reason| reason.check).collect::<Vec<_>>(),
        [Check::TypeMismatch, Check::Corrupt, Check::TooManyPixels]
    );
    assert_eq!(
        findings[0],
        Finding::measured(
            Check::TypeMismatch,
            "image/png".to_owned(),
            "image/jpeg".to_owned()
        )
    );
    assert_eq!(app.objects.keys(), [app.original_key(declared.photo)]);
}

#[tokio::test]
async fn a_file_that_is_no_image_is_rejected() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    app.inspector.answer(Ok(Inspection::default()));
    app.execute_due().await;
    assert_eq!(
        rejection_reasons(&app, declared.photo).await,
        [Check::UnsupportedFormat]
    );
}

#[tokio::test]
async fn an_object_over_the_size_limit_is_rejected_without_a_download() {
    let app = TestApp::with_settings(|settings| settings.uploads.max_file_bytes = 30);
    let declared = photo_with_due_work(&app).await;
    // The object is replaced by one over the signed length after the look has inspected it.
    let key = app.original_key(declared.photo);
    let claims = app
        .store
        .claim(&[WorkKind::Look], 1, app.settings.work.lease)
        .await
        .unwrap();
    assert_eq!(claims.len(), 1);
    app.clock.advance(app.settings.work.lease);
    let runner = Arc::clone(&app.runner);
    let swap = async {
        while app.status(declared.photo).await != PhotoStatus::Processing {
            tokio::task::yield_now().await;
        }
        ObjectStore::put(&*app.objects, &key, vec![0; 31].into(), "image/jpeg")
            .await
            .unwrap();
    };
    let (executed, ()) = tokio::join!(runner.execute_due(), swap);
    executed.unwrap();
    let reasons = rejection_reasons(&app, declared.photo).await;
    assert_eq!(reasons, [Check::SizeMismatch, Check::TooLarge]);
    assert!(app.inspector.inspected().is_empty());
}

#[tokio::test]
async fn an_object_that_changed_is_verified_again() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    app.objects.faults().fail_next(Operation::Get, 1);
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Processing);
    let mut other = BODY.to_vec();
    other.reverse();
    let key = app.original_key(declared.photo);
    ObjectStore::put(&*app.objects, &key, other.into(), "image/jpeg")
        .await
        .unwrap();
    app.execute_for(Duration::from_mins(1)).await;
    assert_eq!(
        rejection_reasons(&app, declared.photo).await,
        [Check::ChecksumMismatch]
    );
}

#[tokio::test]
async fn a_photo_fails_after_three_errors_and_keeps_its_original() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    for _ in 0..3 {
        app.inspector
            .answer(Err(InspectError::Failed("requested by a test".to_owned())));
    }
    let mut attempts = 0;
    while app.status(declared.photo).await != PhotoStatus::Failed {
        app.execute_due().await;
        attempts += 1;
        if let Some(due) = app.next_due(&[WorkKind::Process]).await {
            app.clock.set(due);
        }
    }
    assert_eq!(attempts, 3);
    let state = app.photo(declared.photo).await.state;
    let reason = FailureReason::ProcessingError;
    assert_eq!(state, PhotoState::Failed { reason });
    assert_eq!(
        app.objects.bytes(&app.original_key(declared.photo)).unwrap(),
        BODY
    );
}
