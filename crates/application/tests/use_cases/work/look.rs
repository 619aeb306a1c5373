use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    jobs::RawFile,
    ports::{ObjectStore, SingleProcess, WorkKind},
    progress::ProgressBoard,
    work::WorkRunner,
};
use rapidphoto_domain::{
    PhotoId,
    photo::{Check, CheckPolicies, FailureReason, PhotoEvent, PhotoState, PhotoStatus, Policy},
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, DAY, HOUR, file},
};

use crate::support::{count, progress::report, rejection_reasons};

const ALMOST_A_DAY: Duration = Duration::from_secs(24 * 3600 - 1);

async fn failure(app: &TestApp, photo: PhotoId) -> Option<FailureReason> {
    match app.photo(photo).await.state {
        PhotoState::Failed { reason } => Some(reason),
        _ => None,
    }
}

fn file_with(bytes: u64, mime_type: &str) -> RawFile {
    RawFile {
        mime_type: mime_type.to_owned(),
        bytes,
        checksum: None,
        ..file(0)
    }
}

#[tokio::test]
async fn an_object_without_a_storage_event_is_found_after_its_url_expires() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    assert_eq!(app.put(&declared).status, 200);
    app.objects.take_announcements();
    assert_eq!(app.execute_due().await, 0, "no look is due yet");
    app.clock
        .advance(app.settings.uploads.url_lifetime + app.settings.work.look_grace);
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    let events = app.photo_events(declared.photo).await;
    assert!(matches!(events[1], PhotoEvent::PhotoUploadCompleted {}));
    assert!(matches!(events[2], PhotoEvent::PhotoProcessingStarted { .. }));
    assert_eq!(app.next_due(&WorkKind::ALL).await, None);
}

#[tokio::test]
async fn all_looks_are_due_after_a_restart() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    app.store.make_looks_due().await.unwrap();
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    // A look that finds no object does not change the time of the next one.
    let waiting = app.declare_one().await;
    app.store.make_looks_due().await.unwrap();
    app.execute_due().await;
    assert_eq!(app.status(waiting.photo).await, PhotoStatus::Queued);
    let url_ends = waiting.url.expires_at + app.settings.work.look_grace;
    assert_eq!(app.next_due(&[WorkKind::Look]).await, Some(url_ends));
}

#[tokio::test]
async fn an_upload_without_activity_expires_with_its_window() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.execute_for(ALMOST_A_DAY).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Queued);
    app.execute_for(Duration::from_secs(1)).await;
    assert_eq!(
        failure(&app, declared.photo).await,
        Some(FailureReason::UploadExpired)
    );
}

#[tokio::test]
async fn progress_extends_the_upload_window() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.execute_for(23 * HOUR).await;
    assert_eq!(report(&app, std::slice::from_ref(&declared), 1).await, 1);
    app.execute_for(ALMOST_A_DAY).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Uploading);
    app.execute_for(Duration::from_secs(1)).await;
    assert_eq!(
        failure(&app, declared.photo).await,
        Some(FailureReason::UploadExpired)
    );
}

#[tokio::test]
async fn progress_that_another_process_received_extends_the_upload_window() {
    let app = TestApp::new();
    let declared = [app.declare_one().await];
    app.execute_for(23 * HOUR).await;
    assert_eq!(report(&app, &declared, 1).await, 1);
    // The worker of another process has seen none of the ticks.
    let board = Arc::new(ProgressBoard::default());
    let other = TestApp {
        runner: Arc::new(WorkRunner::new(&app.ports, &app.settings, app.signals.clone())),
        board,
        ..app.clone()
    };
    other.execute_for(ALMOST_A_DAY).await;
    assert_eq!(app.status(declared[0].photo).await, PhotoStatus::Uploading);
    other.execute_for(Duration::from_secs(1)).await;
    assert_eq!(
        failure(&app, declared[0].photo).await,
        Some(FailureReason::UploadExpired)
    );
}

#[tokio::test]
async fn a_missing_object_is_looked_for_three_times() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.finalize(declared.photo).await;
    for look in 0..2 {
        assert_eq!(app.execute_due().await, 1);
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
        let due = app.next_due(&[WorkKind::Look]).await.unwrap();
        let pause = (due - app.now()).to_std().unwrap();
        assert!(
            (Duration::from_secs(5)..=Duration::from_secs(15)).contains(&pause),
            "look {look}: {pause:?}"
        );
        app.clock.set(due);
    }
    app.execute_due().await;
    assert_eq!(
        failure(&app, declared.photo).await,
        Some(FailureReason::UploadMissing)
    );
}

#[tokio::test]
async fn an_object_that_is_stored_after_its_photo_failed_completes_the_photo() {
    for put_after in [HOUR / 6, HOUR / 5] {
        let app = TestApp::new();
        let declared = app.declare_one().await;
        app.finalize(declared.photo).await;
        app.execute_for(put_after).await;
        assert_eq!(
            failure(&app, declared.photo).await,
            Some(FailureReason::UploadMissing)
        );
        assert_eq!(app.put(&declared).status, 200);
        app.objects.take_announcements();
        app.execute_for(2 * HOUR).await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
}

#[tokio::test]
async fn a_failed_upload_is_looked_for_twice_more() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.finalize(declared.photo).await;
    app.execute_for(2 * HOUR).await;
    let last = declared.url.expires_at + DAY;
    assert_eq!(app.next_due(&[WorkKind::Look]).await, Some(last));
    app.execute_for(2 * DAY).await;
    assert_eq!(app.next_due(&[WorkKind::Look]).await, None);
    let reason = failure(&app, declared.photo).await;
    assert_eq!(reason, Some(FailureReason::UploadMissing));
}

#[tokio::test]
async fn all_mismatches_in_the_response_to_head_are_reported() {
    let app = TestApp::new();
    let mut declared = app
        .declare_files(app.owner, vec![file_with(10, "image/jpeg")])
        .await;
    let declared = declared.remove(0);
    let key = app.original_key(declared.photo);
    ObjectStore::put(&*app.objects, &key, BODY.into(), "text/plain")
        .await
        .unwrap();
    app.deliver_storage_events().await;
    app.execute_due().await;
    assert_eq!(
        rejection_reasons(&app, declared.photo).await,
        [Check::SizeMismatch, Check::TypeMismatch]
    );
    assert!(app.inspector.inspected().is_empty(), "nothing is downloaded");
}

#[tokio::test]
async fn a_wrong_checksum_is_found_by_head_if_storage_knows_it() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    let mut body = BODY.to_vec();
    body.reverse();
    let key = app.original_key(declared.photo);
    ObjectStore::put(&*app.objects, &key, body.into(), "image/jpeg")
        .await
        .unwrap();
    app.deliver_storage_events().await;
    app.execute_due().await;
    assert_eq!(
        rejection_reasons(&app, declared.photo).await,
        [Check::ChecksumMismatch]
    );
}

#[tokio::test]
async fn policies_can_turn_mismatches_into_warnings_or_ignore_them() {
    let app = TestApp::with_settings(|settings| {
        settings.checks.policies = CheckPolicies::with(
            [
                (Check::SizeMismatch, Policy::Warn),
                (Check::TypeMismatch, Policy::Off),
            ]
            .into(),
        );
    });
    let declared = app
        .declare_files(app.owner, vec![file_with(10, "image/png")])
        .await
        .remove(0);
    let key = app.original_key(declared.photo);
    ObjectStore::put(&*app.objects, &key, BODY.into(), "image/jpeg")
        .await
        .unwrap();
    app.deliver_storage_events().await;
    app.execute_due().await;
    let PhotoState::Completed { result } = app.photo(declared.photo).await.state else {
        panic!("not completed");
    };
    let warned: Vec<Check> = result.warnings.iter().map(|finding| finding.check).collect();
    assert_eq!(warned, [Check::SizeMismatch]);
}

#[tokio::test]
async fn looks_are_retried_during_an_outage_of_storage() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    app.deliver_storage_events().await;
    app.objects.faults().fail_next(Operation::Head, 40);
    app.objects.faults().fail_next(Operation::Bucket, 40);
    for _ in 0..40 {
        assert_eq!(app.execute_due().await, 1);
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Verifying);
        let due = app.next_due(&[WorkKind::Look]).await.unwrap();
        let pause = (due - app.now()).to_std().unwrap();
        assert!(
            (Duration::from_secs(2)..=Duration::from_secs(450)).contains(&pause),
            "{pause:?}"
        );
        app.clock.set(due);
    }
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn a_lost_response_to_the_commit_of_a_look_has_one_result() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    app.deliver_storage_events().await;
    app.store.faults().lose_answers(Operation::Commit, 2);
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    let events = app.photo_events(declared.photo).await;
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoProcessingStarted { .. }
        )),
        1
    );
    assert_eq!(app.next_due(&WorkKind::ALL).await, None);
    app.assert_rows_match_events().await;
}
