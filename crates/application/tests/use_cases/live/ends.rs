//! Ends of streams.

use futures::StreamExt as _;
use rapidphoto_application::{
    live::{LiveItem, LiveStream, Snapshot, Start, WatchJob},
    ports::{Cursor, EventLog as _},
};
use rapidphoto_domain::{DomainEvent, StreamId, job::JobEvent};
use rapidphoto_memory::{DeclaredPhoto, TestApp, fixtures::TEST_TIMEOUT};
use tokio::time::timeout;

use crate::support::live::{RunningTail, next_event, next_snapshot, watch_job};

/// A completed job, and the cursor before its last photo ended.
async fn completed(app: &TestApp) -> (Vec<DeclaredPhoto>, Cursor) {
    let declared = app.declare(2).await;
    app.upload(&declared[..1]).await;
    let before = app.store.head().await.unwrap();
    app.upload(&declared[1..]).await;
    assert!(app.completion().catch_up().await.unwrap());
    (declared, before)
}

/// Names of all items until the stream ends.
async fn items(stream: &mut LiveStream) -> Vec<&'static str> {
    let mut names = Vec::new();
    while let Some(item) = timeout(TEST_TIMEOUT, stream.next())
        .await
        .expect("an item in time")
    {
        names.push(match item.unwrap() {
            LiveItem::Reset => "reset",
            LiveItem::Snapshot(_) => "snapshot",
            LiveItem::State(event) => match event.event {
                DomainEvent::Job(JobEvent::UploadJobCompleted { .. }) => "completed",
                _ => "change",
            },
            LiveItem::Progress(_) => "progress",
            LiveItem::JobEnded => "end",
        });
    }
    names
}

#[tokio::test]
async fn a_jobs_stream_ends_when_the_job_is_terminal() {
    let app = TestApp::new();
    let running = RunningTail::start(&app);
    let declared = app.declare(2).await;
    let mut stream = watch_job(&app, &running.tail, declared[0].job, None).await;
    app.upload(&declared).await;
    assert!(app.completion().catch_up().await.unwrap());
    let items = items(&mut stream).await;
    assert_eq!(items.first(), Some(&"snapshot"));
    assert_eq!(items[items.len() - 2..], ["completed", "end"]);
    assert_eq!(items.len(), 1 + 2 * 3 + 2, "{items:?}");
    running.stop().await;
}

#[tokio::test]
async fn the_stream_of_a_terminal_job_is_its_snapshot() {
    let app = TestApp::new();
    let (declared, before) = completed(&app).await;
    let running = RunningTail::start(&app);
    for after in [
        None,
        Some(Cursor::START),
        Some(before),
        Some(app.store.head().await.unwrap()),
    ] {
        let mut stream = watch_job(&app, &running.tail, declared[0].job, after).await;
        assert_eq!(items(&mut stream).await, ["snapshot", "end"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_stream_that_follows_goes_on_after_the_job_is_terminal() {
    let app = TestApp::new();
    let (declared, _) = completed(&app).await;
    let running = RunningTail::start(&app);
    let command = WatchJob {
        owner: app.owner,
        job: declared[0].job,
        start: Start::Snapshot,
        follow: true,
    };
    let mut stream = app.watch(&running.tail).job(command).await.unwrap();
    assert!(matches!(next_snapshot(&mut stream).await, Snapshot::Job(_)));
    app.delete(declared[0].photo).await;
    let event = next_event(&mut stream).await;
    assert_eq!(event.stream, StreamId::Photo(declared[0].photo));
    running.stop().await;
}
