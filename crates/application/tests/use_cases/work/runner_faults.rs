use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{
    GetError, InspectError, Inspection, InspectionLimits, ObjectBody, ObjectHead, ObjectStore,
    PhotoInspector, Unavailable,
};
use rapidphoto_domain::{
    UserId,
    photo::{FailureReason, PhotoState, PhotoStatus},
    values::ETag,
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, TEST_TIMEOUT},
};
use tokio::time::timeout;

use crate::support::worker::{GatedInspector, RunningWorker, upload, wait_for_status};

struct Panicking;

#[async_trait]
impl PhotoInspector for Panicking {
    async fn inspect(&self, _: Bytes, _: InspectionLimits) -> Result<Inspection, InspectError> {
        panic!("requested by a test")
    }
}

/// Object store with switchable outages, which counts its calls.
struct SwitchableStore {
    inner: Arc<dyn ObjectStore>,
    down: AtomicBool,
    calls: AtomicU32,
}

impl SwitchableStore {
    fn call(&self) -> Result<(), Unavailable> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Unavailable::storage("down"));
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for SwitchableStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.call()?;
        self.inner.head(key).await
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        self.call()?;
        self.inner.get(key, if_match).await
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.call()?;
        self.inner.put(key, body, content_type).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.call()?;
        self.inner.delete(key).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.call()?;
        self.inner.check().await
    }
}

#[tokio::test]
async fn thumbnails_that_are_written_after_a_cancellation_are_deleted() {
    let app = TestApp::new();
    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    let declared = upload(&app, 1).await;
    gate.until_waiting(1).await;
    app.delete(declared[0].photo).await;
    let empty = async |app: &TestApp| {
        while !app.objects.keys().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(TEST_TIMEOUT, empty(&app))
        .await
        .expect("the original is deleted");
    // The worker writes its thumbnails after the cleaning.
    gate.open();
    let written = async {
        while app.objects.keys().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(TEST_TIMEOUT, written)
        .await
        .expect("the thumbnails are written");
    timeout(TEST_TIMEOUT, empty(&app))
        .await
        .expect("the thumbnails are deleted");
    running.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(10));
    let running = RunningWorker::start(&app, Some(Arc::new(Panicking)));
    let declared = upload(&app, 2).await;
    let failed = async {
        while app.status(declared[1].photo).await != PhotoStatus::Failed
            || app.status(declared[0].photo).await != PhotoStatus::Failed
        {
            app.clock.advance(Duration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(TEST_TIMEOUT, failed)
        .await
        .expect("both photos fail after three attempts");
    let reason = FailureReason::ProcessingError;
    assert_eq!(
        app.photo(declared[0].photo).await.state,
        PhotoState::Failed { reason }
    );
    assert_eq!(
        app.objects.bytes(&app.original_key(declared[0].photo)).unwrap(),
        BODY
    );
    running.stop().await;
}

#[tokio::test]
async fn calls_are_rare_during_an_outage_of_storage_and_resume_after_it() {
    let mut app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(10));
    let store = Arc::new(SwitchableStore {
        inner: app.objects.clone(),
        down: AtomicBool::new(true),
        calls: AtomicU32::new(0),
    });
    app.ports.objects = store.clone();
    let running = RunningWorker::start(&app, None);
    let declared = upload(&app, 200).await;
    // An outage of half an hour.
    for _ in 0..360 {
        app.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let calls = store.calls.load(Ordering::SeqCst);
    assert!((8..150).contains(&calls), "{calls} calls");
    store.down.store(false, Ordering::SeqCst);
    let back = async {
        for declared in &declared {
            while app.status(declared.photo).await != PhotoStatus::Completed {
                app.clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    timeout(Duration::from_mins(2), back).await.expect("all complete");
    running.stop().await;
}

#[tokio::test]
async fn the_runner_survives_outages_of_the_database() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(10));
    let running = RunningWorker::start(&app, None);
    for fault in [Operation::Claim, Operation::Read, Operation::Commit] {
        app.store.faults().fail_next(fault, 3);
        tokio::time::sleep(Duration::from_millis(60)).await;
        app.store.faults().fail_next(fault, 0);
    }
    let declared = upload(&app, 3).await;
    let done = async {
        for declared in &declared {
            while app.status(declared.photo).await != PhotoStatus::Completed {
                app.clock.advance(Duration::from_millis(100));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    timeout(Duration::from_secs(20), done)
        .await
        .expect("all complete");
    running.stop().await;
}

#[tokio::test]
async fn two_workers_process_each_photo_once() {
    let app = TestApp::new();
    let workers = [RunningWorker::start(&app, None), RunningWorker::start(&app, None)];
    let mut declared = upload(&app, 40).await;
    let others = app.declare_as(UserId::from_bits(5), 1).await;
    declared.extend(upload(&app, 10).await);
    wait_for_status(&app, &declared, PhotoStatus::Completed).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(app.inspector.inspected().len(), declared.len());
    assert_eq!(app.status(others[0].photo).await, PhotoStatus::Queued);
    app.assert_rows_match_events().await;
}
