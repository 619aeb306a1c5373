use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use proptest::{prelude::*, test_runner::TestRunner};
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobHandler},
    photos::{DeletePhoto, DeletePhotoHandler},
    ports::{EventMetadata, StoredEvent, WorkKind},
    uploads::{FinalizeUpload, FinalizeUploadHandler},
    work::WorkRunner,
};
use rapidphoto_domain::{
    DomainEvent, PhotoId, StreamId,
    job::{JobCounts, JobEvent},
    photo::{FailureReason, PhotoEvent, PhotoStatus},
};
use rapidphoto_memory::{
    DeclaredPhoto, Operation, TestApp,
    fixtures::{DAY, HOUR},
};

/// Action of a client, the storage, a worker or a subscription.
#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    Finalize(usize),
    /// Delivers the storage event of an earlier upload again.
    Event(usize),
    /// Delivers a storage event of an object that does not exist.
    EventWithoutObject(usize),
    Cancel(usize),
    CancelJob,
    Wait(Duration),
    Work,
    /// Executes work and aborts it after this number of yields.
    AbortedWorker(u8),
    React,
    /// Loses the responses to this number of commits.
    LostResponses(u32),
    /// Fails this number of calls of the database or the storage.
    Outage(Operation, u32),
}

const PHOTOS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let photo = 0..PHOTOS;
    prop_oneof![
        4 => photo.clone().prop_map(Step::Put),
        3 => photo.clone().prop_map(Step::Finalize),
        4 => (0..8_usize).prop_map(Step::Event),
        1 => photo.clone().prop_map(Step::EventWithoutObject),
        1 => photo.prop_map(Step::Cancel),
        1 => Just(Step::CancelJob),
        3 => prop_oneof![
            Just(Duration::from_secs(7)),
            Just(Duration::from_mins(2)),
            Just(HOUR),
            Just(DAY),
        ]
        .prop_map(Step::Wait),
        5 => Just(Step::Work),
        2 => (0..60_u8).prop_map(Step::AbortedWorker),
        2 => Just(Step::React),
        1 => (1..3_u32).prop_map(Step::LostResponses),
        1 => (
            prop_oneof![
                Just(Operation::Commit),
                Just(Operation::Read),
                Just(Operation::Head),
                Just(Operation::Get),
                Just(Operation::Put),
                Just(Operation::Delete),
            ],
            1..4_u32
        )
            .prop_map(|(operation, times)| Step::Outage(operation, times)),
    ]
}

/// Responses of the storage.
#[derive(Default)]
struct Responses {
    /// Photos whose upload got a response with status 200.
    stored: Vec<PhotoId>,
    /// Storage events.
    events: Vec<Bytes>,
}

/// State of one run of random steps.
struct Run {
    app: TestApp,
    declared: Vec<DeclaredPhoto>,
    responses: Responses,
}

impl Run {
    async fn new(seed: u64) -> Self {
        let app = TestApp::seeded(seed);
        app.store.faults().yield_randomly(seed);
        let declared = app.declare(PHOTOS).await;
        Self {
            app,
            declared,
            responses: Responses::default(),
        }
    }

    fn metadata() -> EventMetadata {
        EventMetadata::default()
    }

    /// Executes a step. Errors are ignored: the result must be correct whether a client repeats its request or not.
    async fn execute(&mut self, step: &Step) {
        let app = &self.app;
        let (ports, work) = (&app.ports, app.settings.work);
        match step {
            Step::Put(photo) => {
                let declared = &self.declared[*photo];
                if app.put(declared).status == 200 {
                    self.responses.stored.push(declared.photo);
                }
                self.responses.events.extend(app.objects.take_announcements());
            }
            Step::Finalize(photo) => {
                let command = FinalizeUpload {
                    owner: app.owner,
                    photo: self.declared[*photo].photo,
                    parts: None,
                    metadata: Self::metadata(),
                };
                let _ = FinalizeUploadHandler::new(ports, work).handle(command).await;
            }
            Step::Event(index) => {
                if let Some(event) = self.responses.events.get(*index) {
                    let _ = app.receive(event.clone()).await;
                }
            }
            Step::EventWithoutObject(photo) => {
                let key = app.original_key(self.declared[*photo].photo);
                let event = serde_json::json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": {
                    "bucket": { "name": "uploads" }, "object": { "key": key }
                } }] });
                let _ = app.receive(event.to_string()).await;
            }
            Step::Cancel(photo) => {
                let command = DeletePhoto {
                    owner: app.owner,
                    photo: self.declared[*photo].photo,
                    metadata: Self::metadata(),
                };
                let _ = DeletePhotoHandler::new(ports, work).handle(command).await;
            }
            Step::CancelJob => {
                let command = CancelJob {
                    owner: app.owner,
                    job: self.declared[0].job,
                    metadata: Self::metadata(),
                };
                let _ = CancelJobHandler::new(ports, work).handle(command).await;
            }
            Step::Wait(time) => app.clock.advance(*time),
            Step::Work => {
                let _ = app.runner.execute_due().await;
            }
            Step::AbortedWorker(yields) => self.abort_worker(*yields).await,
            Step::React => {
                let _ = app.completion().catch_up().await;
            }
            Step::LostResponses(times) => app.store.faults().lose_answers(Operation::Commit, *times),
            Step::Outage(operation @ (Operation::Commit | Operation::Read), times) => {
                app.store.faults().fail_next(*operation, *times);
            }
            Step::Outage(operation, times) => app.objects.faults().fail_next(*operation, *times),
        }
    }

    async fn abort_worker(&self, yields: u8) {
        let app = &self.app;
        let runner = Arc::new(WorkRunner::new(&app.ports, &app.settings, app.signals.clone()));
        let worker = tokio::spawn(async move { runner.execute_due().await });
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        worker.abort();
        let _ = worker.await;
    }

    /// Ends all outages and executes all work that is left.
    async fn drain(&self) {
        let app = &self.app;
        for operation in [Operation::Commit, Operation::Read] {
            app.store.faults().fail_next(operation, 0);
            app.store.faults().lose_answers(operation, 0);
        }
        for operation in [Operation::Head, Operation::Get, Operation::Put, Operation::Delete] {
            app.objects.faults().fail_next(operation, 0);
        }
        for _ in 0..3 {
            app.clock.advance(Duration::from_mins(1));
            app.completion().catch_up().await.unwrap();
            app.execute_for(3 * DAY).await;
        }
        app.completion().catch_up().await.unwrap();
    }

    async fn check(&self) {
        let app = &self.app;
        app.assert_rows_match_events().await;
        let log = app.log().await;
        for declared in &self.declared {
            let photo = app.photo(declared.photo).await;
            assert!(photo.status().is_terminal(), "{photo:?}");
            let events = app.photo_events(declared.photo).await;
            self.check_photo(declared.photo, &events, photo.status());
            let is_cancelled = photo.deleted || photo.status() == PhotoStatus::Cancelled;
            let keys = app.objects.keys();
            let keys = keys
                .iter()
                .filter(|key| key.contains(&declared.photo.to_string()));
            if is_cancelled {
                assert_eq!(keys.count(), 0, "a cancelled or deleted photo has no objects");
            } else if photo.status() == PhotoStatus::Completed {
                assert_eq!(keys.count(), 3);
            }
        }
        self.check_job(&log).await;
        // Only the cleaning of photos that are kept for a while is left.
        for kind in [WorkKind::Look, WorkKind::Process] {
            assert_eq!(app.next_due(&[kind]).await, None, "{kind}");
        }
    }

    fn check_photo(&self, photo: PhotoId, events: &[PhotoEvent], status: PhotoStatus) {
        let results = events
            .iter()
            .filter(|event| matches!(event, PhotoEvent::PhotoProcessingCompleted { .. }))
            .count();
        assert!(results <= 1, "{events:?}");
        let cancelled = events
            .iter()
            .any(|event| matches!(event, PhotoEvent::PhotoCancelled {} | PhotoEvent::PhotoDeleted {}));
        if self.responses.stored.contains(&photo) && !cancelled {
            let was_aborted_too_often = matches!(
                events.last(),
                Some(PhotoEvent::PhotoFailed {
                    reason: FailureReason::ProcessingError
                })
            );
            assert!(
                status == PhotoStatus::Completed || was_aborted_too_often,
                "an upload with a successful response is never lost: {events:?}"
            );
        }
        if !self.responses.stored.contains(&photo) {
            assert_eq!(results, 0);
        }
    }

    async fn check_job(&self, log: &[StoredEvent]) {
        let job = self.declared[0].job;
        let mut rounds = BTreeMap::<u32, usize>::new();
        let mut last = None;
        for stored in log.iter().filter(|stored| stored.stream == StreamId::Job(job)) {
            if let DomainEvent::Job(JobEvent::UploadJobCompleted { round, counts, .. }) = &stored.event {
                *rounds.entry(*round).or_default() += 1;
                last = Some(*counts);
            }
        }
        assert!(rounds.values().all(|times| *times == 1), "{rounds:?}");
        let now = self.app.job(job).await;
        assert!(
            rounds.keys().copied().eq(1..=now.round),
            "every round is completed: {rounds:?}"
        );
        let mut statuses = Vec::new();
        for declared in &self.declared {
            statuses.push(self.app.photo(declared.photo).await.status());
        }
        assert_eq!(
            last,
            Some(JobCounts::of(statuses)),
            "the last completion has the final statuses of the photos"
        );
    }
}

async fn run(seed: u64, steps: Vec<Vec<Step>>) {
    let mut run = Run::new(seed).await;
    for concurrent in steps {
        match concurrent.as_slice() {
            [alone] => run.execute(alone).await,
            concurrent => execute_concurrently(&mut run, concurrent).await,
        }
    }
    run.drain().await;
    run.check().await;
}

/// Executes steps concurrently. The faults of the adapters determine their order.
async fn execute_concurrently(run: &mut Run, steps: &[Step]) {
    let (app, declared, responses) = (&run.app, &run.declared, &run.responses);
    let executions = steps.iter().map(|step| async move {
        let mut own = Run {
            app: app.clone(),
            declared: declared.clone(),
            responses: Responses {
                stored: Vec::new(),
                events: responses.events.clone(),
            },
        };
        own.execute(step).await;
        own.responses
    });
    let all = futures::future::join_all(executions).await;
    let known = responses.events.len();
    for responses in all {
        run.responses.stored.extend(responses.stored);
        run.responses
            .events
            .extend(responses.events.into_iter().skip(known));
    }
}

#[test]
fn in_any_order_of_steps_every_photo_has_one_result_and_no_upload_is_lost() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let steps = prop::collection::vec(prop::collection::vec(step(), 1..5), 1..25);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runner
        .run(&(any::<u64>(), steps), |(seed, steps)| {
            runtime.block_on(run(seed, steps));
            Ok(())
        })
        .unwrap();
}
