//! Commits that end after later ones: readers wait for the late commit and miss nothing.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    live::{LiveStream, LiveTail, Snapshot},
    ports::{Aggregates, EventLog as _, Journal as _},
    subscriptions::{JobCompletion, SubscriptionRunner},
};
use rapidphoto_domain::{DomainEvent, JobId, StreamId, job::JobEvent, photo::PhotoCommand};
use rapidphoto_memory::{TestApp, fixtures::TEST_TIMEOUT};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::live::{RunningTail, next_event, next_snapshot, watch_job, watch_user};
use crate::support::photo_commit;

/// Longer than any test runs: readers that sleep until their poll never see the event.
const NO_POLL: Duration = Duration::from_hours(1);

/// Another process on the same database: its commits send no signals to this one.
fn other_process(app: &TestApp) -> TestApp {
    let mut other = app.clone();
    other.ports.database.journal = Arc::new(app.store.clone());
    other
}

fn tail(app: &TestApp) -> RunningTail {
    RunningTail::follow(Arc::new(LiveTail::new(
        &app.ports,
        Arc::clone(&app.board),
        app.signals.clone(),
        NO_POLL,
    )))
}

/// Stream of all events of the app's user.
async fn user_stream(app: &TestApp, running: &RunningTail) -> LiveStream {
    let mut stream = watch_user(app, &running.tail).await;
    assert!(matches!(next_snapshot(&mut stream).await, Snapshot::User { .. }));
    stream
}

async fn next_job_created(stream: &mut LiveStream) -> JobId {
    loop {
        if let StreamId::Job(job) = next_event(stream).await.stream {
            return job;
        }
    }
}

#[tokio::test]
async fn a_watcher_receives_what_a_late_commit_of_another_process_held_back() {
    let app = TestApp::new();
    let running = tail(&app);
    let mut stream = user_stream(&app, &running).await;
    let mut held = app.store.hold_next_commit();
    let other = other_process(&app);
    let late = tokio::spawn(async move { other.declare_one().await });
    held.reached().await;
    let early = app.declare_one().await;
    let nothing = timeout(Duration::from_millis(30), next_event(&mut stream)).await;
    assert!(nothing.is_err(), "{nothing:?}");
    held.release();
    let late = late.await.unwrap();
    assert_eq!(next_job_created(&mut stream).await, late.job);
    assert_eq!(next_job_created(&mut stream).await, early.job);
    running.stop().await;
}

#[tokio::test]
async fn a_late_commit_wakes_a_watcher_that_has_seen_a_later_cursor() {
    let app = TestApp::new();
    let running = tail(&app);
    let mut stream = user_stream(&app, &running).await;
    let mut held = app.store.hold_next_commit();
    let late = tokio::spawn({
        let app = app.clone();
        async move { app.declare_one().await }
    });
    held.reached().await;
    app.declare_one().await;
    held.release();
    let late = late.await.unwrap();
    assert_eq!(next_job_created(&mut stream).await, late.job);
    running.stop().await;
}

#[tokio::test]
async fn a_reactor_reacts_to_a_late_commit_of_another_process() {
    let app = TestApp::new();
    let declared = app.declare(2).await;
    app.upload(&declared[..1]).await;
    let reactor = Arc::new(JobCompletion::new(&app.ports, app.settings.work));
    let runner = SubscriptionRunner::new(reactor, &app.ports, app.signals.clone(), NO_POLL);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { runner.run(shutdown).await }
    });
    let mut held = app.store.hold_next_commit();
    let before = Aggregates::photo(&app.store, declared[1].photo)
        .await
        .unwrap()
        .unwrap();
    let commit = photo_commit(&app, &before, PhotoCommand::Cancel);
    let store = app.store.clone();
    let late = tokio::spawn(async move { store.commit(commit).await });
    held.reached().await;
    app.declare_one().await;
    held.release();
    late.await.unwrap().unwrap();
    let completed = async {
        loop {
            let log = app.log().await;
            if log.iter().any(|stored| {
                matches!(
                    stored.event,
                    DomainEvent::Job(JobEvent::UploadJobCompleted { .. })
                )
            }) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TEST_TIMEOUT, completed).await.expect("the job completes");
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_watcher_drops_events_that_its_snapshot_contains() {
    let app = TestApp::new();
    let declared = app.declare(2).await;
    let running = tail(&app);
    let before = app.store.head().await.unwrap();
    // The commit that is held open precedes the photo's, which the snapshot contains and its cursor doesn't.
    let mut held = app.store.hold_next_commit();
    let late = tokio::spawn({
        let app = app.clone();
        async move { app.declare_one().await }
    });
    held.reached().await;
    app.upload(&declared[..1]).await;
    let mut stream = watch_job(&app, &running.tail, declared[0].job, None).await;
    let Snapshot::Job(snapshot) = next_snapshot(&mut stream).await else {
        panic!("not a job");
    };
    assert_eq!(snapshot.counts.completed, 1);
    assert_eq!(snapshot.view.cursor, before);
    held.release();
    late.await.unwrap();
    app.upload(&declared[1..]).await;
    for version in 2..=4 {
        let event = next_event(&mut stream).await;
        let expected = (StreamId::Photo(declared[1].photo), version);
        assert_eq!((event.stream, event.version.0), expected);
    }
    running.stop().await;
}
