use std::sync::Arc;

use rapidphoto_application::ports::{Aggregates, Journal, Unavailable, WorkKind, WorkQueue};
use rapidphoto_domain::photo::{FailureReason, PhotoCommand, PhotoEvent, PhotoState, PhotoStatus};
use rapidphoto_memory::{Operation, TestApp};

use crate::support::{count, photo_commit, photo_with_due_work};

fn is_result(event: &PhotoEvent) -> bool {
    matches!(event, PhotoEvent::PhotoProcessingCompleted { .. })
}

#[tokio::test]
async fn a_photo_that_crashes_six_workers_alone_fails() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    app.objects.faults().fail_next(Operation::Get, 1);
    app.execute_due().await;
    let lease = app.settings.work.lease;
    app.clock.advance(lease);
    // The first worker crashes: its claim is neither renewed nor finished. It had other work too, so that this crash does
    // not count.
    let first = app.store.claim(&[WorkKind::Process], 1, lease).await.unwrap();
    assert_eq!(first[0].claims, 1);
    for crashes in 1..=6 {
        app.clock.advance(lease);
        let claim = app.store.claim_orphan(&[WorkKind::Process], lease).await.unwrap();
        assert_eq!(claim.unwrap().claims, 1 + crashes);
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Processing);
    }
    app.clock.advance(lease);
    app.execute_due().await;
    assert_eq!(
        app.photo(declared.photo).await.state,
        PhotoState::Failed {
            reason: FailureReason::ProcessingError
        }
    );
    assert!(app.inspector.inspected().is_empty());
}

#[tokio::test]
async fn no_photo_fails_because_of_an_outage_of_storage() {
    for step in [Operation::Head, Operation::Get, Operation::Put] {
        let app = TestApp::new();
        let declared = photo_with_due_work(&app).await;
        app.objects.faults().fail_next(step, 25);
        app.objects.faults().fail_next(Operation::Bucket, 25);
        for _ in 0..40 {
            app.execute_due().await;
            let Some(due) = app.next_due(&WorkKind::ALL).await else {
                break;
            };
            app.clock.set(due);
        }
        assert_eq!(
            app.status(declared.photo).await,
            PhotoStatus::Completed,
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn no_photo_fails_while_no_photo_can_be_inspected() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    for _ in 0..25 {
        let outage = Unavailable::inspection("requested by a test");
        app.inspector.answer(Err(outage.into()));
    }
    for _ in 0..25 {
        app.execute_due().await;
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Processing);
        let due = app.next_due(&[WorkKind::Process]).await.unwrap();
        app.clock.set(due);
    }
    app.execute_due().await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn no_photo_fails_because_of_an_outage_of_the_database() {
    tokio::time::pause();
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    for fault in [Operation::Read, Operation::Commit] {
        for times in 1..8 {
            app.store.faults().fail_next(fault, times);
            let _ = app.runner.execute_due().await;
            app.store.faults().fail_next(fault, 0);
            let due = app.next_due(&WorkKind::ALL).await;
            app.clock.set(due.unwrap_or(app.now()).max(app.now()));
        }
    }
    app.execute_for(app.settings.work.lease * 2).await;
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_lost_response_to_the_final_commit_has_one_result() {
    tokio::time::pause();
    for lost in 1..6 {
        let app = TestApp::new();
        let declared = photo_with_due_work(&app).await;
        app.store.faults().lose_answers(Operation::Commit, lost);
        app.execute_for(app.settings.work.lease * 2).await;
        let events = app.photo_events(declared.photo).await;
        assert_eq!(count(&events, is_result), 1);
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
        app.assert_rows_match_events().await;
    }
}

#[tokio::test]
async fn a_photo_is_completed_once_whenever_its_worker_crashes() {
    for yields in 0..80 {
        let app = TestApp::new();
        let declared = photo_with_due_work(&app).await;
        let runner = Arc::clone(&app.runner);
        let worker = tokio::spawn(async move { runner.execute_due().await });
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        worker.abort();
        let _ = worker.await;
        app.execute_for(app.settings.work.lease * 3).await;
        let events = app.photo_events(declared.photo).await;
        assert_eq!(count(&events, is_result), 1, "aborted after {yields} yields");
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
        app.assert_rows_match_events().await;
    }
}

#[tokio::test]
async fn a_photo_that_is_tagged_during_its_processing_is_processed_once() {
    let app = TestApp::new();
    let declared = photo_with_due_work(&app).await;
    let tag = async {
        while app.status(declared.photo).await != PhotoStatus::Processing {
            tokio::task::yield_now().await;
        }
        for label in ["one", "two"] {
            loop {
                let before = Aggregates::photo(&app.store, declared.photo)
                    .await
                    .unwrap()
                    .unwrap();
                if before.value.status() != PhotoStatus::Processing {
                    break;
                }
                let labels = [label.parse().unwrap()].into();
                let commit = photo_commit(&app, &before, PhotoCommand::Tag { labels });
                if app.store.commit(commit).await.is_ok() {
                    break;
                }
            }
        }
    };
    let (_, ()) = tokio::join!(app.execute_due(), tag);
    assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    assert_eq!(
        app.inspector.inspected().len(),
        1,
        "the result is decided again, but the photo is not processed again"
    );
    assert!(!app.photo(declared.photo).await.tags.is_empty());
    app.assert_rows_match_events().await;
}
