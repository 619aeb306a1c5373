//! Progress of uploads as watchers see it, with several processes.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    live::{LiveItem, LiveStream, Snapshot},
    ports::{EventMetadata, ProgressTick, UploadActivity as _},
    progress::ProgressBoard,
    uploads::{ReportProgress, Tick},
};
use rapidphoto_domain::values::Progress;
use rapidphoto_memory::{DeclaredPhoto, Operation, TestApp, fixtures::TEST_TIMEOUT};
use tokio::time::timeout;

use crate::support::{
    live::{RunningTail, next, next_snapshot, watch_job},
    progress::{BYTES, handler, report, reported},
};

/// Another process on the same database and the same distribution of ticks.
fn other_process(app: &TestApp) -> TestApp {
    TestApp {
        board: Arc::new(ProgressBoard::default()),
        ..app.clone()
    }
}

fn tick(app: &TestApp, declared: &DeclaredPhoto, sent: u64) -> ProgressTick {
    ProgressTick {
        owner: app.owner,
        job: declared.job,
        photo: declared.photo,
        progress: Progress::new(sent, BYTES),
    }
}

/// Bytes of the next progress item.
async fn next_progress(stream: &mut LiveStream) -> u64 {
    loop {
        if let LiveItem::Progress(tick) = next(stream).await {
            return tick.progress.bytes_sent();
        }
    }
}

/// Waits until a board has this progress of a photo.
async fn wait_for(app: &TestApp, declared: &DeclaredPhoto, bytes: Option<u64>) {
    let reached = async {
        while reported(app, declared.photo) != bytes {
            tokio::task::yield_now().await;
        }
    };
    timeout(TEST_TIMEOUT, reached)
        .await
        .expect("the board is updated");
}

#[tokio::test]
async fn every_process_shows_the_progress_that_one_received() {
    let app = TestApp::new();
    let other = other_process(&app);
    let (running, others) = (RunningTail::start(&app), RunningTail::start(&other));
    let declared = [app.declare_one().await];
    let mut stream = watch_job(&other, &others.tail, declared[0].job, None).await;
    next_snapshot(&mut stream).await;
    assert_eq!(report(&app, &declared, 3).await, 1);
    assert_eq!(next_progress(&mut stream).await, 3);
    // The load balancer sends the next tick elsewhere.
    assert_eq!(report(&other, &declared, 5).await, 1);
    assert_eq!(next_progress(&mut stream).await, 5);
    wait_for(&app, &declared[0], Some(5)).await;
    others.stop().await;
    running.stop().await;
}

#[tokio::test]
async fn a_late_tick_does_not_bring_back_an_upload_that_has_ended() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare(2).await;
    assert_eq!(report(&app, &declared, 3).await, 2);
    app.finalize(declared[0].photo).await;
    wait_for(&app, &declared[0], None).await;
    app.ports.ticks.publish(tick(&app, &declared[0], 4));
    // Ticks are handled in order.
    app.ports.ticks.publish(tick(&app, &declared[1], 4));
    wait_for(&app, &declared[1], Some(4)).await;
    assert_eq!(reported(&app, declared[0].photo), None);
    running.stop().await;
}

#[tokio::test]
async fn progress_never_decreases_for_one_watcher() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = [app.declare_one().await];
    assert_eq!(report(&app, &declared, 4).await, 1);
    let mut stream = watch_job(&app, &running.tail, declared[0].job, None).await;
    let Snapshot::Job(snapshot) = next_snapshot(&mut stream).await else {
        panic!("not a job");
    };
    assert_eq!(snapshot.total_progress().bytes_sent(), 4);
    // The board of a process can forget an upload, and then learn less from others.
    app.board.remove(declared[0].photo);
    app.ports.ticks.publish(tick(&app, &declared[0], 2));
    app.ports.ticks.publish(tick(&app, &declared[0], 5));
    assert_eq!(next_progress(&mut stream).await, 5);
    running.stop().await;
}

#[tokio::test]
async fn a_sign_of_life_is_stored_at_most_once_a_minute_and_photo() {
    let app = TestApp::new();
    let declared = [app.declare_one().await];
    let photo = declared[0].photo;
    let stored = || async { app.store.last_activity(photo).await.unwrap() };
    let start = app.now();
    for second in 0..60 {
        app.clock.set(start + Duration::from_secs(second));
        report(&app, &declared, second % BYTES).await;
    }
    assert_eq!(
        stored().await,
        None,
        "the upload's window is a minute old at most"
    );
    app.clock.set(start + Duration::from_mins(1));
    app.store.faults().fail_next(Operation::Session, 1);
    let command = ReportProgress {
        owner: app.owner,
        ticks: vec![Tick { photo, bytes_sent: 1 }],
        metadata: EventMetadata::default(),
    };
    assert!(handler(&app).handle(command).await.is_err());
    assert_eq!(stored().await, None);
    report(&app, &declared, 1).await;
    assert_eq!(
        stored().await,
        Some(app.now()),
        "what was not stored is stored next"
    );
    app.clock.advance(Duration::from_secs(59));
    report(&app, &declared, 2).await;
    assert_eq!(stored().await, Some(start + Duration::from_mins(1)));
}
