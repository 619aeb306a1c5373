use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::{
    jobs::RawFile,
    ports::{InspectError, Inspection, InspectionLimits, ObjectStore, PhotoInspector, SingleProcess},
    work::WorkRunner,
};
use rapidphoto_domain::photo::{FailureReason, PhotoState, PhotoStatus};
use rapidphoto_memory::{
    StubInspector, TestApp,
    fixtures::{BODY, TEST_TIMEOUT, file},
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::worker::{GatedInspector, RunningWorker, upload, wait_for_status};

/// Inspector that kills its process when it sees one photo. In the first process it waits for neighbours until then.
struct Killer {
    poison: Bytes,
    neighbours: Option<Arc<GatedInspector>>,
    killed: Notify,
}

#[async_trait]
impl PhotoInspector for Killer {
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError> {
        if bytes == self.poison {
            if let Some(neighbours) = &self.neighbours {
                neighbours.until_waiting(7).await;
            }
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        match &self.neighbours {
            Some(gate) => gate.inspect(bytes, limits).await,
            None => Ok(StubInspector::good_photo()),
        }
    }
}

/// Runs a worker until it is killed. Returns false if it completes or fails all photos instead.
async fn run_until_killed(app: &TestApp, killer: Arc<Killer>, done: impl AsyncFn() -> bool) -> bool {
    let mut ports = app.ports.clone();
    ports.inspector = killer.clone();
    let runner = WorkRunner::new(&ports, &app.settings, app.signals.clone());
    // Dropping the runner's future ends its tasks without releasing their claims, as the end of a process does.
    let ended = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let outcome = async {
        tokio::select! {
            () = runner.run(CancellationToken::new()) => unreachable!("there is no shutdown"),
            () = killer.killed.notified() => true,
            () = ended => false,
        }
    };
    timeout(TEST_TIMEOUT, outcome)
        .await
        .expect("a worker ends in time")
}

#[tokio::test]
async fn a_photo_that_kills_its_workers_takes_no_neighbour_with_it() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(10));
    let mut poison = BODY.to_vec();
    poison[0] ^= 1;
    let poison = Bytes::from(poison);
    // Without checksums, so that the other content is not noticed before its inspection.
    let files = (0..8).map(|number| RawFile {
        checksum: None,
        ..file(number)
    });
    let declared = app.declare_files(app.owner, files.collect()).await;
    for photo in &declared {
        assert_eq!(app.put(photo).status, 200);
    }
    let key = app.original_key(declared[3].photo);
    ObjectStore::put(&*app.objects, &key, poison.clone(), "image/jpeg")
        .await
        .unwrap();
    app.deliver_storage_events().await;
    let settled = async || {
        for photo in &declared {
            if matches!(
                app.status(photo.photo).await,
                PhotoStatus::Verifying | PhotoStatus::Processing
            ) {
                return false;
            }
        }
        true
    };

    let first = Arc::new(Killer {
        poison: poison.clone(),
        neighbours: Some(GatedInspector::closed()),
        killed: Notify::new(),
    });
    assert!(
        run_until_killed(&app, first, &settled).await,
        "killed with eight photos in progress"
    );
    let mut deaths = 0;
    loop {
        app.store.expire_claims().await.unwrap();
        let killer = Arc::new(Killer {
            poison: poison.clone(),
            neighbours: None,
            killed: Notify::new(),
        });
        if !run_until_killed(&app, killer, &settled).await {
            break;
        }
        deaths += 1;
    }
    assert_eq!(deaths, app.settings.work.max_claims);
    for photo in &declared {
        let state = app.photo(photo.photo).await.state;
        if photo.photo == declared[3].photo {
            let reason = FailureReason::ProcessingError;
            assert_eq!(state, PhotoState::Failed { reason });
        } else {
            assert!(matches!(state, PhotoState::Completed { .. }), "{state:?}");
        }
    }
    assert_eq!(app.objects.bytes(&key).unwrap(), poison, "the original is kept");
}

#[tokio::test]
async fn orphaned_work_is_executed_beside_no_other_work() {
    let app = TestApp::with_settings(|settings| settings.work.poll = Duration::from_millis(10));
    let gate = GatedInspector::closed();
    let crashed = RunningWorker::start(&app, Some(gate.clone()));
    let orphans = upload(&app, 3).await;
    gate.until_waiting(3).await;
    crashed.kill().await;
    app.store.expire_claims().await.unwrap();

    let gate = GatedInspector::closed();
    let running = RunningWorker::start(&app, Some(gate.clone()));
    gate.until_waiting(1).await;
    // New work waits for the orphaned item, and the other orphaned items wait, too.
    let others = upload(&app, 3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(gate.max.load(std::sync::atomic::Ordering::SeqCst), 1);
    gate.open();
    wait_for_status(&app, &orphans, PhotoStatus::Completed).await;
    wait_for_status(&app, &others, PhotoStatus::Completed).await;
    running.stop().await;
}

#[tokio::test]
async fn a_failed_attempt_does_not_make_work_orphaned() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.put(&declared);
    app.deliver_storage_events().await;
    app.inspector
        .answer(Err(InspectError::Failed("requested by a test".to_owned())));
    app.execute_due().await;
    app.clock.advance(Duration::from_mins(10));
    let kinds = [rapidphoto_application::ports::WorkKind::Process];
    let lease = app.settings.work.lease;
    let claims = rapidphoto_application::ports::WorkQueue::claim(&app.store, &kinds, 1, lease).await;
    let claim = claims.unwrap()[0];
    assert_eq!((claim.attempts, claim.claims), (1, 1));
}
