use rapidphoto_application::ports::WorkKind;
use rapidphoto_domain::photo::{Photo, PhotoEvent, PhotoStatus};
use rapidphoto_memory::{DeclaredPhoto, TestApp, fixtures::DAY};

use crate::support::{count, photo_with_due_work, recording_journal::RecordingJournal};

#[tokio::test]
async fn a_photo_that_is_cancelled_at_any_moment_of_its_processing_leaves_no_objects() {
    // Number of cancellations during and of deletions after the processing.
    let mut counts = [0, 0];
    for yields in 0..60 {
        let app = TestApp::new();
        let declared = photo_with_due_work(&app).await;
        let cancel = async {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            app.delete(declared.photo).await;
        };
        let (_, ()) = tokio::join!(app.execute_due(), cancel);
        app.execute_for(DAY * 2).await;
        let photo = app.photo(declared.photo).await;
        assert!(photo.deleted || photo.status() == PhotoStatus::Cancelled);
        counts[usize::from(photo.deleted)] += 1;
        assert!(
            app.objects.keys().is_empty(),
            "{yields}: {:?}",
            app.objects.keys()
        );
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
        app.assert_rows_match_events().await;
    }
    assert!(
        counts[0] > 5 && counts[1] > 5,
        "both orders must occur: {counts:?}"
    );
}

/// Deletes a photo while `concurrent` happens just before the first commit. Returns the photo of the response.
async fn delete_during<A>(
    app: &mut TestApp,
    declared: &DeclaredPhoto,
    concurrent: impl FnOnce(TestApp, DeclaredPhoto) -> A,
) -> Photo
where
    A: Future<Output = ()> + Send + 'static,
{
    let journal = RecordingJournal::around(app);
    let other = journal.unrecorded(app);
    journal.before_next(concurrent(other, declared.clone()));
    app.delete(declared.photo).await
}

/// Asserts that a photo was cancelled once and not deleted.
async fn assert_only_cancelled(app: &TestApp, declared: &DeclaredPhoto, response: &Photo) {
    assert_eq!(
        (response.status(), response.deleted),
        (PhotoStatus::Cancelled, false)
    );
    let events = app.photo_events(declared.photo).await;
    assert_eq!(
        count(&events, |event| matches!(event, PhotoEvent::PhotoCancelled {})),
        1
    );
    assert_eq!(
        count(&events, |event| matches!(event, PhotoEvent::PhotoDeleted {})),
        0
    );
    assert!(!app.photo(declared.photo).await.deleted);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn concurrent_deletions_of_a_photo_in_progress_cancel_it_and_delete_nothing() {
    let mut app = TestApp::new();
    let declared = app.declare_one().await;
    let response = delete_during(&mut app, &declared, |other, declared| async move {
        let response = other.delete(declared.photo).await;
        assert_only_cancelled(&other, &declared, &response).await;
    })
    .await;
    assert_only_cancelled(&app, &declared, &response).await;
    assert!(
        app.delete(declared.photo).await.deleted,
        "a later request deletes the photo"
    );
}

#[tokio::test]
async fn a_deletion_during_the_cancellation_of_the_job_deletes_nothing() {
    let mut app = TestApp::new();
    let declared = app.declare_one().await;
    let response = delete_during(&mut app, &declared, |other, declared| async move {
        other.cancel_job(declared.job).await;
    })
    .await;
    assert_only_cancelled(&app, &declared, &response).await;
}

#[tokio::test]
async fn a_photo_that_completes_during_its_deletion_is_deleted() {
    let mut app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    let response = delete_during(&mut app, &declared, |other, declared| async move {
        other.execute_due().await;
        assert_eq!(other.status(declared.photo).await, PhotoStatus::Completed);
    })
    .await;
    assert_eq!(
        (response.status(), response.deleted),
        (PhotoStatus::Completed, true)
    );
    assert!(app.photo(declared.photo).await.deleted);
    app.assert_rows_match_events().await;
}
