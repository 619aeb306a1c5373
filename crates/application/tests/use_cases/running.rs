use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::{
    ports::{
        GetError, InspectError, Inspection, InspectionLimits, ObjectBody, ObjectHead, ObjectStore,
        PhotoInspector, Unavailable, WorkKind, WorkQueue,
    },
    work::WorkRunner,
};
use rapidphoto_domain::{
    UserId,
    photo::{FailureReason, PhotoState, PhotoStatus},
    values::ETag,
};
use rapidphoto_memory::{Operation, StubInspector};
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::bench::{BODY, Bench, LIMIT, Promised};

/// An inspector that answers only when it is let to, and counts how many calls wait.
#[derive(Default)]
struct Gate {
    waiting: AtomicU32,
    most: AtomicU32,
    open: Option<Semaphore>,
}

impl Gate {
    fn shut() -> Arc<Self> {
        Arc::new(Self {
            open: Some(Semaphore::new(0)),
            ..Self::default()
        })
    }

    fn open(&self) {
        self.open.as_ref().unwrap().add_permits(1000);
    }

    async fn until_waiting(&self, calls: u32) {
        let enough = async {
            while self.waiting.load(Ordering::SeqCst) < calls {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LIMIT, enough).await.expect("they come to the gate");
    }
}

#[async_trait]
impl PhotoInspector for Gate {
    async fn inspect(&self, _: Bytes, _: InspectionLimits) -> Result<Inspection, InspectError> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        self.open.as_ref().unwrap().acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Ok(StubInspector::good_photo())
    }
}

struct Panicking;

#[async_trait]
impl PhotoInspector for Panicking {
    async fn inspect(&self, _: Bytes, _: InspectionLimits) -> Result<Inspection, InspectError> {
        panic!("on purpose")
    }
}

struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(bench: &Bench, inspector: Option<Arc<dyn PhotoInspector>>) -> Self {
        let mut ports = bench.ports.clone();
        if let Some(inspector) = inspector {
            ports.inspector = inspector;
        }
        let runner = WorkRunner::new(
            &ports,
            &bench.settings,
            bench.board.clone(),
            bench.signals.clone(),
        );
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { runner.run(stop).await });
        Self { shutdown, task }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(Duration::from_secs(25), self.task)
            .await
            .expect("it stops in time")
            .unwrap();
    }
}

async fn upload(bench: &Bench, photos: usize) -> Vec<Promised> {
    let promised = bench.promise(photos).await;
    for promised in &promised {
        assert_eq!(bench.put(promised).status, 200);
    }
    bench.deliver().await;
    promised
}

async fn until(bench: &Bench, promised: &[Promised], status: PhotoStatus) {
    let reached = async {
        for promised in promised {
            while bench.status(promised.photo).await != status {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    timeout(Duration::from_secs(30), reached).await.expect("in time");
}

#[tokio::test]
async fn work_begins_with_the_commit_that_orders_it() {
    let bench = Bench::with(1, |settings| settings.work.poll = Duration::from_hours(1));
    let running = Running::start(&bench, None);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let promised = upload(&bench, 20).await;
    until(&bench, &promised, PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn work_of_which_nobody_told_is_found_by_polling() {
    let bench = Bench::with(1, |settings| settings.work.poll = Duration::from_millis(20));
    let promised = bench.promise_one().await;
    bench.put(&promised);
    let running = Running::start(&bench, None);
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.store.make_looks_due().await.unwrap();
    until(&bench, &[promised], PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn no_more_is_worked_on_at_once_than_is_allowed() {
    let bench = Bench::with(1, |settings| settings.work.concurrency = 3);
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 12).await;
    gate.until_waiting(3).await;
    until(&bench, &promised, PhotoStatus::Processing).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.open();
    until(&bench, &promised, PhotoStatus::Completed).await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 3);
    running.stop().await;
}

#[tokio::test]
async fn no_more_bytes_are_held_at_once_than_is_allowed() {
    let bench = Bench::with(1, |settings| settings.work.download_budget_bytes = 2 * 4096);
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 8).await;
    gate.until_waiting(2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.open();
    until(&bench, &promised, PhotoStatus::Completed).await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
    running.stop().await;
}

#[tokio::test]
async fn what_is_under_way_finishes_when_the_process_stops() {
    let bench = Bench::new();
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 4).await;
    gate.until_waiting(4).await;
    let stop = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(20)).await;
    let later = upload(&bench, 1).await;
    gate.open();
    stop.await.unwrap();
    for promised in promised {
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Completed);
    }
    assert_eq!(
        bench.status(later[0].photo).await,
        PhotoStatus::Verifying,
        "nothing new is claimed"
    );
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_handed_back_as_if_it_had_never_been_claimed() {
    let bench = Bench::with(1, |settings| settings.work.drain = Duration::from_millis(50));
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    upload(&bench, 3).await;
    gate.until_waiting(3).await;
    running.stop().await;
    let claims = bench
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
async fn a_lease_is_kept_while_the_work_lasts() {
    let bench = Bench::with(1, |settings| settings.work.lease = Duration::from_millis(60));
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 1).await;
    gate.until_waiting(1).await;
    for _ in 0..20 {
        // As much as passes in truth, so that the lease would run out four times.
        tokio::time::sleep(Duration::from_millis(12)).await;
        bench.clock.advance(Duration::from_millis(12));
        let stolen = bench
            .store
            .claim(&[WorkKind::Process], 1, Duration::from_secs(1))
            .await
            .unwrap();
        assert!(stolen.is_empty());
    }
    gate.open();
    until(&bench, &promised, PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn a_photo_that_is_given_up_is_let_go_of() {
    let bench = Bench::with(1, |settings| settings.work.lease = Duration::from_millis(30));
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 1).await;
    gate.until_waiting(1).await;
    bench.delete(promised[0].photo).await;
    let free = async {
        while !bench.objects.keys().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LIMIT, free).await.expect("cleaned");
    // The worker finds out by its lease, long before the inspection ends; its place is free for others.
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.stop().await;
    assert_eq!(bench.status(promised[0].photo).await, PhotoStatus::Cancelled);
}

#[tokio::test]
async fn a_worker_that_loses_its_last_commit_to_a_cancellation_cleans_up_what_it_wrote() {
    let bench = Bench::new();
    let gate = Gate::shut();
    let running = Running::start(&bench, Some(gate.clone()));
    let promised = upload(&bench, 1).await;
    gate.until_waiting(1).await;
    bench.delete(promised[0].photo).await;
    let empty = async |bench: &Bench| {
        while !bench.objects.keys().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, empty(&bench)).await.expect("cleaned");
    // Only now does the worker write its thumbnails, behind the cleaning.
    gate.open();
    let written = async {
        while bench.objects.keys().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, written).await.expect("written");
    timeout(LIMIT, empty(&bench)).await.expect("cleaned up");
    running.stop().await;
}

#[tokio::test]
async fn a_panic_is_an_attempt_that_broke() {
    let bench = Bench::with(1, |settings| settings.work.poll = Duration::from_millis(10));
    let running = Running::start(&bench, Some(Arc::new(Panicking)));
    let promised = upload(&bench, 2).await;
    let failed = async {
        while bench.status(promised[1].photo).await != PhotoStatus::Failed
            || bench.status(promised[0].photo).await != PhotoStatus::Failed
        {
            bench.clock.advance(Duration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LIMIT, failed).await.expect("three attempts");
    let reason = FailureReason::ProcessingError;
    assert_eq!(
        bench.photo(promised[0].photo).await.state,
        PhotoState::Failed { reason }
    );
    assert_eq!(
        bench.objects.bytes(&bench.original(promised[0].photo)).unwrap(),
        BODY
    );
    running.stop().await;
}

/// A store that is down when it is told to be, and counts how often it is asked.
struct Moody {
    inner: Arc<dyn ObjectStore>,
    down: AtomicBool,
    asked: AtomicU32,
}

impl Moody {
    fn mood(&self) -> Result<(), Unavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Unavailable::storage("down"));
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Moody {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.mood()?;
        self.inner.head(key).await
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        self.mood()?;
        self.inner.get(key, if_match).await
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.mood()?;
        self.inner.put(key, body, content_type).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.mood()?;
        self.inner.delete(key).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.mood()?;
        self.inner.check().await
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_asked_rarely_and_used_again_once_it_is_back() {
    let mut bench = Bench::with(1, |settings| settings.work.poll = Duration::from_millis(10));
    let store = Arc::new(Moody {
        inner: bench.objects.clone(),
        down: AtomicBool::new(true),
        asked: AtomicU32::new(0),
    });
    bench.ports.objects = store.clone();
    let running = Running::start(&bench, None);
    let promised = upload(&bench, 200).await;
    // Half an hour of outage.
    for _ in 0..360 {
        bench.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let asked = store.asked.load(Ordering::SeqCst);
    assert!((8..150).contains(&asked), "asked {asked} times");
    store.down.store(false, Ordering::SeqCst);
    let back = async {
        for promised in &promised {
            while bench.status(promised.photo).await != PhotoStatus::Completed {
                bench.clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    timeout(Duration::from_mins(2), back).await.expect("all complete");
    running.stop().await;
}

#[tokio::test]
async fn nothing_but_shutdown_ends_it() {
    let bench = Bench::with(1, |settings| settings.work.poll = Duration::from_millis(10));
    let running = Running::start(&bench, None);
    for fault in [Operation::Claim, Operation::Read, Operation::Commit] {
        bench.store.faults().fail_next(fault, 3);
        tokio::time::sleep(Duration::from_millis(60)).await;
        bench.store.faults().fail_next(fault, 0);
    }
    let promised = upload(&bench, 3).await;
    let done = async {
        for promised in &promised {
            while bench.status(promised.photo).await != PhotoStatus::Completed {
                bench.clock.advance(Duration::from_millis(100));
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
async fn two_workers_give_each_photo_one_result() {
    let bench = Bench::new();
    let workers = [Running::start(&bench, None), Running::start(&bench, None)];
    let mut promised = upload(&bench, 40).await;
    let others = bench.promise_as(UserId::from_bits(5), 1).await;
    promised.extend(upload(&bench, 10).await);
    until(&bench, &promised, PhotoStatus::Completed).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(bench.inspector.inspected().len(), promised.len());
    assert_eq!(bench.status(others[0].photo).await, PhotoStatus::Queued);
    bench.assert_record_is_sound().await;
}
