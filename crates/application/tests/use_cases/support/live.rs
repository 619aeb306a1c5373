//! Live tail in the background, and items of live streams.

use std::sync::Arc;

use futures::StreamExt as _;
use rapidphoto_application::{
    live::{LiveItem, LiveStream, LiveTail, Snapshot, Start, WatchJob, WatchUser},
    ports::{Cursor, StoredEvent},
};
use rapidphoto_domain::JobId;
use rapidphoto_memory::{TestApp, fixtures::TEST_TIMEOUT};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// Live tail in the background.
pub(crate) struct RunningTail {
    pub(crate) tail: Arc<LiveTail>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningTail {
    pub(crate) fn start(app: &TestApp) -> Self {
        Self::follow(app.tail())
    }

    pub(crate) fn follow(tail: Arc<LiveTail>) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn({
            let (tail, shutdown) = (Arc::clone(&tail), shutdown.clone());
            async move { tail.run(shutdown).await }
        });
        Self { tail, shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// Opens the stream of a job, from its start or after a cursor.
pub(crate) async fn watch_job(
    app: &TestApp,
    tail: &Arc<LiveTail>,
    job: JobId,
    after: Option<Cursor>,
) -> LiveStream {
    let command = WatchJob {
        owner: app.owner,
        job,
        start: after.map_or(Start::Snapshot, Start::After),
        follow: false,
    };
    app.watch(tail).job(command).await.unwrap()
}

/// Opens the stream of the app's user, from its start.
pub(crate) async fn watch_user(app: &TestApp, tail: &Arc<LiveTail>) -> LiveStream {
    let command = WatchUser {
        owner: app.owner,
        start: Start::Snapshot,
    };
    app.watch(tail).user(command).await.unwrap()
}

/// Next item of a stream that has not ended.
pub(crate) async fn next(stream: &mut LiveStream) -> LiveItem {
    let item = timeout(TEST_TIMEOUT, stream.next())
        .await
        .expect("an item in time");
    item.expect("the stream has not ended").unwrap()
}

/// Next item, which must be an event.
pub(crate) async fn next_event(stream: &mut LiveStream) -> Arc<StoredEvent> {
    match next(stream).await {
        LiveItem::State(event) => event,
        other => panic!("{other:?}"),
    }
}

/// Next item, which must be a snapshot.
pub(crate) async fn next_snapshot(stream: &mut LiveStream) -> Snapshot {
    match next(stream).await {
        LiveItem::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}
