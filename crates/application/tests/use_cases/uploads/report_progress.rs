use futures::{FutureExt as _, StreamExt as _};
use rapidphoto_application::{
    live::{LiveItem, Start, WatchUser},
    ports::EventMetadata,
    uploads::{ReportProgress, Tick},
};
use rapidphoto_domain::photo::{PhotoEvent, PhotoStatus};
use rapidphoto_memory::{Operation, TestApp, fixtures::OTHER_USER};

use crate::support::{
    count,
    live::RunningTail,
    progress::{BYTES, end_upload, handler, job_bytes, report, report_as, reported, wait_until_removed},
    recording_journal::RecordingJournal,
};

#[tokio::test]
async fn ticks_of_a_final_photo_are_ignored() {
    for status in [PhotoStatus::Cancelled, PhotoStatus::Failed] {
        let app = TestApp::new();
        let running = RunningTail::start(&app);
        let watch = WatchUser {
            owner: app.owner,
            start: Start::Snapshot,
        };
        let mut watcher = app.watch(&running.tail).user(watch).await.unwrap();
        let declared = app.declare_one().await;
        assert_eq!(report(&app, std::slice::from_ref(&declared), 5).await, 1);
        end_upload(&app, &declared, status).await;
        wait_until_removed(&app, declared.photo).await;
        assert_eq!(
            report(&app, std::slice::from_ref(&declared), 15).await,
            0,
            "{status:?}"
        );
        assert_eq!(reported(&app, declared.photo), None);
        running.stop().await;
        while let Some(item) = watcher.next().await {
            if let LiveItem::Progress(tick) = item.unwrap() {
                assert_eq!(tick.progress.bytes_sent(), 5);
            }
        }
    }
}

#[tokio::test]
async fn a_thousand_first_ticks_are_ten_commits() {
    let mut app = TestApp::new();
    let declared = app.declare(1000).await;
    let journal = RecordingJournal::around(&mut app);
    assert_eq!(report(&app, &declared, 7).await, 1000);
    assert_eq!(journal.commits(), 10);
    for declared in &declared {
        assert_eq!(reported(&app, declared.photo), Some(7));
    }
    assert_eq!(app.status(declared[999].photo).await, PhotoStatus::Uploading);
    assert_eq!(report(&app, &declared, 9).await, 1000);
    assert_eq!(journal.commits(), 10, "later ticks write nothing");
    assert_eq!(job_bytes(&app, declared[0].job).await, 9 * 1000);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn several_ticks_of_one_photo_start_its_upload_once() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    let twice = [declared.clone(), declared.clone()];
    assert_eq!(report(&app, &twice, 3).await, 2);
    let events = app.photo_events(declared.photo).await;
    assert_eq!(
        count(&events, |event| matches!(
            event,
            PhotoEvent::PhotoUploadStarted {}
        )),
        1
    );
}

#[tokio::test]
async fn a_photo_that_is_cancelled_just_before_its_first_tick_is_stored_has_no_progress() {
    let mut app = TestApp::new();
    let declared = app.declare(3).await;
    let journal = RecordingJournal::around(&mut app);
    let (other, photo) = (journal.unrecorded(&app), declared[1].photo);
    journal.before_next(async move {
        other.delete(photo).await;
    });
    assert_eq!(report(&app, &declared, 4).await, 2);
    let known: Vec<_> = declared
        .iter()
        .map(|declared| reported(&app, declared.photo))
        .collect();
    assert_eq!(known, [Some(4), None, Some(4)]);
    assert_eq!(journal.commits(), 2);
}

#[tokio::test]
async fn a_photo_that_is_cancelled_just_after_its_first_tick_is_stored_has_no_progress() {
    let mut app = TestApp::new();
    let declared = app.declare(3).await;
    let journal = RecordingJournal::around(&mut app);
    let (other, photo) = (journal.unrecorded(&app), declared[1].photo);
    journal.after_next(async move {
        other.delete(photo).await;
    });
    let mut ticks = app.ports.ticks.subscribe();
    assert_eq!(report(&app, &declared, 4).await, 2);
    assert_eq!(reported(&app, photo), None);
    while let Some(Some(tick)) = ticks.next().now_or_never() {
        assert_ne!(tick.photo, photo, "watchers receive no progress of it");
    }
}

#[tokio::test]
async fn ticks_are_accepted_after_repeated_conflicts() {
    let mut app = TestApp::new();
    let declared = app.declare(6).await;
    let journal = RecordingJournal::around(&mut app);
    for finalized in &declared[..3] {
        let (other, photo) = (journal.unrecorded(&app), finalized.photo);
        journal.before_next(async move {
            other.finalize(photo).await;
        });
    }
    assert_eq!(report(&app, &declared, 4).await, 3);
    assert_eq!(journal.commits(), 3 + 3);
}

#[tokio::test]
async fn an_outage_leaves_no_progress_of_unchecked_photos() {
    let mut app = TestApp::new();
    let declared = app.declare_one().await;
    let journal = RecordingJournal::around(&mut app);
    let store = app.store.clone();
    journal.after_next(async move { store.faults().fail_next(Operation::Read, 1) });
    let command = ReportProgress {
        owner: app.owner,
        ticks: vec![Tick {
            photo: declared.photo,
            bytes_sent: 4,
        }],
        metadata: EventMetadata::default(),
    };
    assert!(handler(&app).handle(command).await.is_err());
    assert_eq!(reported(&app, declared.photo), None);
    assert_eq!(report(&app, &[declared], 4).await, 1);
}

#[tokio::test]
async fn ticks_of_another_users_photos_are_ignored() {
    let app = TestApp::new();
    let declared = [app.declare_one().await];
    assert_eq!(report_as(&app, OTHER_USER, &declared, 4).await, 0);
    report(&app, &declared, 4).await;
    assert_eq!(report_as(&app, OTHER_USER, &declared, BYTES).await, 0);
    assert_eq!(reported(&app, declared[0].photo), Some(4));
}
