//! Work runner in the background, and an inspector that controls its progress.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::{
    ports::{InspectError, Inspection, InspectionLimits, PhotoInspector},
    work::WorkRunner,
};
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::{DeclaredPhoto, StubInspector, TestApp, fixtures::TEST_TIMEOUT};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// Inspector whose calls wait until it is opened.
pub(crate) struct GatedInspector {
    /// Number of waiting calls.
    waiting: AtomicU32,
    /// Maximum number of calls that have waited at once.
    pub(crate) max: AtomicU32,
    permits: Semaphore,
}

impl GatedInspector {
    pub(crate) fn closed() -> Arc<Self> {
        Arc::new(Self {
            waiting: AtomicU32::new(0),
            max: AtomicU32::new(0),
            permits: Semaphore::new(0),
        })
    }

    /// Lets all waiting and later calls return.
    pub(crate) fn open(&self) {
        self.permits.add_permits(1000);
    }

    /// Waits until no call waits any more, because all have returned or were aborted.
    pub(crate) async fn until_none_waits(&self) {
        let none = async {
            while self.waiting.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(TEST_TIMEOUT, none).await.expect("the calls end in time");
    }

    /// Waits until this number of calls wait.
    pub(crate) async fn until_waiting(&self, calls: u32) {
        let enough = async {
            while self.waiting.load(Ordering::SeqCst) < calls {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(TEST_TIMEOUT, enough)
            .await
            .expect("the calls arrive in time");
    }
}

/// A waiting call; it may end by being dropped.
struct Waiting<'a>(&'a GatedInspector);

impl<'a> Waiting<'a> {
    fn new(gate: &'a GatedInspector) -> Self {
        let waiting = gate.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        gate.max.fetch_max(waiting, Ordering::SeqCst);
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl PhotoInspector for GatedInspector {
    async fn inspect(&self, _: Bytes, _: InspectionLimits) -> Result<Inspection, InspectError> {
        let _waiting = Waiting::new(self);
        self.permits.acquire().await.unwrap().forget();
        Ok(StubInspector::good_photo())
    }
}

/// Work runner in the background.
pub(crate) struct RunningWorker {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Starts a runner, with another inspector if there is one.
    pub(crate) fn start(app: &TestApp, inspector: Option<Arc<dyn PhotoInspector>>) -> Self {
        let mut ports = app.ports.clone();
        if let Some(inspector) = inspector {
            ports.inspector = inspector;
        }
        let runner = WorkRunner::new(&ports, &app.settings, app.signals.clone());
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { runner.run(stop).await });
        Self { shutdown, task }
    }

    /// Ends the runner without releasing its claims, as if its process had crashed.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        timeout(Duration::from_secs(25), self.task)
            .await
            .expect("the runner stops in time")
            .unwrap();
    }
}

/// Creates a job with this number of photos, uploads them and delivers their storage events.
pub(crate) async fn upload(app: &TestApp, photos: usize) -> Vec<DeclaredPhoto> {
    let declared = app.declare(photos).await;
    for declared in &declared {
        assert_eq!(app.put(declared).status, 200);
    }
    app.deliver_storage_events().await;
    declared
}

/// Waits until all photos have a status.
pub(crate) async fn wait_for_status(app: &TestApp, declared: &[DeclaredPhoto], status: PhotoStatus) {
    let reached = async {
        for declared in declared {
            while app.status(declared.photo).await != status {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    timeout(Duration::from_secs(30), reached)
        .await
        .expect("all photos have the status in time");
}
