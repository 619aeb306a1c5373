use std::{sync::atomic::Ordering, time::Duration};

use rapidphoto_application::ports::{SingleProcess, WorkKind, WorkQueue};
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::{TestApp, fixtures::TEST_TIMEOUT};
use tokio::time::timeout;

use crate::support::worker::{GatedInspector, RunningWorker, upload, wait_for_status};

#[tokio::test]
async fn work_starts_with_the_commit_that_schedules_it() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_hours(1));
    let running = RunningWorker::start(&app, None);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let declared = upload(&app, 20).await;
    wait_for_status(&app, &declared, PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn work_without_a_notification_is_found_by_polling() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(20));
    let declared = app.declare_one().await;
    app.put(&declared);
    let running = RunningWorker::start(&app, None);
    tokio::time::sleep(Duration::from_millis(50)).await;
    app.store.make_looks_due().await.unwrap();
    wait_for_status(&app, &[declared], PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn the_number_of_concurrent_work_items_is_limited() {
    let app = TestApp::with_settings(|settings| settings.work.concurrency = 3);
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 12).await;
    gate.until_waiting(3).await;
    wait_for_status(&app, &declared, PhotoStatus::Processing).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.open();
    wait_for_status(&app, &declared, PhotoStatus::Completed).await;
    assert_eq!(gate.max.load(Ordering::SeqCst), 3);
    running.stop().await;
}

#[tokio::test]
async fn the_size_of_concurrent_downloads_is_limited() {
    let app = TestApp::with_settings(|settings| settings.work.download_budget_bytes = 2 * 4096);
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 8).await;
    gate.until_waiting(2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.open();
    wait_for_status(&app, &declared, PhotoStatus::Completed).await;
    assert_eq!(gate.max.load(Ordering::SeqCst), 2);
    running.stop().await;
}

#[tokio::test]
async fn work_in_progress_finishes_during_shutdown() {
    let app = TestApp::new();
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 4).await;
    gate.until_waiting(4).await;
    let stop = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(20)).await;
    let later = upload(&app, 1).await;
    gate.open();
    stop.await.unwrap();
    for declared in declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Completed);
    }
    assert_eq!(
        app.status(later[0].photo).await,
        PhotoStatus::Verifying,
        "no new work is claimed"
    );
}

#[tokio::test]
async fn work_that_does_not_finish_during_shutdown_is_released() {
    let app = TestApp::with_settings(|settings| settings.work.drain = Duration::from_millis(50));
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    upload(&app, 3).await;
    gate.until_waiting(3).await;
    running.stop().await;
    let claims = app
        .store
        .claim(&[WorkKind::Process], 10, Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(claims.len(), 3, "due at once");
    assert!(
        claims
            .iter()
            .all(|claim| claim.claims == 1 && claim.attempts == 0)
    );
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_work_lasts() {
    let app = TestApp::with_settings(|settings| settings.work.lease = Duration::from_millis(60));
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 1).await;
    gate.until_waiting(1).await;
    for _ in 0..20 {
        // The fake clock advances like the real one, so that the lease would expire four times.
        tokio::time::sleep(Duration::from_millis(12)).await;
        app.clock.advance(Duration::from_millis(12));
        let claimed_by_others = app
            .store
            .claim_orphan(&[WorkKind::Process], Duration::from_secs(1))
            .await
            .unwrap();
        assert_eq!(claimed_by_others, None);
    }
    gate.open();
    wait_for_status(&app, &declared, PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn processing_is_aborted_when_its_photo_is_cancelled() {
    let app = TestApp::with_settings(|settings| settings.work.lease = Duration::from_millis(30));
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 1).await;
    gate.until_waiting(1).await;
    app.delete(declared[0].photo).await;
    let deleted = async {
        while !app.objects.keys().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(TEST_TIMEOUT, deleted)
        .await
        .expect("the object is deleted");
    // The worker notices it when it renews its lease, though the inspection never ends, and continues with other work.
    gate.until_none_waits().await;
    running.stop().await;
    assert_eq!(app.status(declared[0].photo).await, PhotoStatus::Cancelled);
}
