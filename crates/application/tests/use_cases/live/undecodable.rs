//! An event that this version of the program can't decode, as a newer one writes it during a rolling update.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use futures::StreamExt as _;
use rapidphoto_application::{
    admin::Lag,
    live::{Start, WatchError, WatchUser},
    ports::{Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable},
};
use rapidphoto_domain::{JobId, StreamId, UserId, Version};
use rapidphoto_memory::{MemoryStore, TestApp, fixtures::TEST_TIMEOUT};
use tokio::time::timeout;

use crate::support::live::{RunningTail, next_event, next_snapshot, watch_user};

/// A log whose next events are of a newer version of the program.
struct NewerLog {
    store: MemoryStore,
    is_newer: AtomicBool,
}

#[async_trait]
impl EventLog for NewerLog {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        self.store.latest_version(stream).await
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        self.store.events(stream, after).await
    }

    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError> {
        let page = self.store.events_after(cursor, filter, limit).await?;
        if self.is_newer.load(Ordering::SeqCst) && !page.events.is_empty() {
            return Err(LogError::NewerSchema {
                event_type: "PhotoQueued".to_owned(),
                stored: 99,
                known: 1,
            });
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.store.head().await
    }

    async fn count_events_after(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
        limit: u64,
    ) -> Result<Option<u64>, Unavailable> {
        self.store.count_events_after(cursor, owner, job, limit).await
    }
}

#[tokio::test]
async fn an_event_that_cant_be_decoded_ends_streams_and_is_reported() {
    let mut app = TestApp::new();
    let log = Arc::new(NewerLog {
        store: app.store.clone(),
        is_newer: AtomicBool::new(false),
    });
    app.ports.database.log = Arc::clone(&log) as _;
    let running = RunningTail::start(&app);
    let mut stream = watch_user(&app, &running.tail).await;
    next_snapshot(&mut stream).await;
    running.tail.check().unwrap();
    app.declare_one().await;
    next_event(&mut stream).await;
    next_event(&mut stream).await;
    log.is_newer.store(true, Ordering::SeqCst);
    app.declare_one().await;
    let ended = timeout(TEST_TIMEOUT, stream.next())
        .await
        .expect("the stream ends");
    assert!(ended.is_none(), "{ended:?}");
    let error = running.tail.check().unwrap_err();
    assert!(error.source.to_string().contains("can't decode"), "{error:?}");
    let command = || WatchUser {
        owner: app.owner,
        start: Start::Snapshot,
    };
    let refused = app.watch(&running.tail).user(command()).await;
    assert!(matches!(refused, Err(WatchError::Unavailable(_))));
    // The tail tries again, so that it recovers if the event becomes readable.
    log.is_newer.store(false, Ordering::SeqCst);
    let recovered = async {
        while running.tail.check().is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TEST_TIMEOUT, recovered).await.expect("the tail recovers");
    drop(app.watch(&running.tail).user(command()).await.unwrap());
    running.stop().await;
}

#[tokio::test]
async fn a_subscription_before_such_an_event_is_parked() {
    let mut app = TestApp::new();
    app.declare_one().await;
    app.completion().catch_up().await.unwrap();
    app.ports.database.log = Arc::new(NewerLog {
        store: app.store.clone(),
        is_newer: AtomicBool::new(true),
    });
    let list = || async { app.use_cases().list_subscriptions.handle().await.unwrap() };
    assert_eq!(
        list().await[0].lag,
        Ok(Lag {
            events: 0,
            since: None
        })
    );
    app.declare_one().await;
    let reports = list().await;
    assert_eq!(reports.len(), 1);
    let reason = reports[0].lag.as_ref().unwrap_err();
    assert!(reason.0.contains("schema version 99"), "{reason:?}");
}
