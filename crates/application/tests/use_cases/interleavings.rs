use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use proptest::{prelude::*, test_runner::TestRunner};
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobHandler},
    photos::{DeletePhoto, DeletePhotoHandler},
    ports::{EventMetadata, StorageMessages, WorkKind, WorkQueue},
    uploads::{FinalizeUpload, FinalizeUploadHandler},
    work::WorkRunner,
};
use rapidphoto_domain::{
    DomainEvent, PhotoId, StreamId,
    job::{JobCounts, JobEvent},
    photo::{PhotoEvent, PhotoStatus},
};
use rapidphoto_memory::Operation;

use crate::bench::{Bench, DAY, HOUR, Promised};

/// One thing that somebody does.
#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    Finalize(usize),
    /// Storage's word of some earlier upload, once more.
    Event(usize),
    /// Storage's word of an upload that it refused.
    FalseEvent(usize),
    Cancel(usize),
    CancelJob,
    Wait(Duration),
    Work,
    /// A worker that is killed after so many steps.
    KilledWorker(u8),
    React,
    /// Commits whose answers are lost.
    LostAnswers(u32),
    /// The record or storage is away for some calls.
    Outage(Operation, u32),
}

const PHOTOS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let photo = 0..PHOTOS;
    prop_oneof![
        4 => photo.clone().prop_map(Step::Put),
        3 => photo.clone().prop_map(Step::Finalize),
        4 => (0..8_usize).prop_map(Step::Event),
        1 => photo.clone().prop_map(Step::FalseEvent),
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
        2 => (0..60_u8).prop_map(Step::KilledWorker),
        2 => Just(Step::React),
        1 => (1..3_u32).prop_map(Step::LostAnswers),
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

/// What was answered in the course of a play.
#[derive(Default)]
struct Answered {
    /// Uploads that storage answered with 200 while their photo was not given up.
    stored: Vec<PhotoId>,
    events: Vec<Bytes>,
}

struct Play {
    bench: Bench,
    promised: Vec<Promised>,
    answered: Answered,
}

impl Play {
    async fn new(seed: u64) -> Self {
        let bench = Bench::with(seed, |_| {});
        bench.store.faults().stagger(seed);
        let promised = bench.promise(PHOTOS).await;
        Self {
            bench,
            promised,
            answered: Answered::default(),
        }
    }

    fn metadata() -> EventMetadata {
        EventMetadata::default()
    }

    /// Does a step. Whoever is told that the record is away comes again, or not: both must do.
    async fn perform(&mut self, step: &Step) {
        let bench = &self.bench;
        let (ports, work) = (&bench.ports, bench.settings.work);
        match step {
            Step::Put(photo) => {
                let promised = &self.promised[*photo];
                if bench.put(promised).status == 200 {
                    self.answered.stored.push(promised.photo);
                }
                self.answered.events.extend(bench.objects.take_announcements());
            }
            Step::Finalize(photo) => {
                let command = FinalizeUpload {
                    owner: bench.owner,
                    photo: self.promised[*photo].photo,
                    metadata: Self::metadata(),
                };
                let _ = FinalizeUploadHandler::new(ports, work).handle(command).await;
            }
            Step::Event(index) => {
                if let Some(event) = self.answered.events.get(*index) {
                    let _ = bench.intake().take(event.clone()).await;
                }
            }
            Step::FalseEvent(photo) => {
                let key = bench.original(self.promised[*photo].photo);
                let event = serde_json::json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": {
                    "bucket": { "name": "uploads" }, "object": { "key": key }
                } }] });
                let _ = bench.intake().take(event.to_string().into()).await;
            }
            Step::Cancel(photo) => {
                let command = DeletePhoto {
                    owner: bench.owner,
                    photo: self.promised[*photo].photo,
                    metadata: Self::metadata(),
                };
                let _ = DeletePhotoHandler::new(ports, work).handle(command).await;
            }
            Step::CancelJob => {
                let command = CancelJob {
                    owner: bench.owner,
                    job: self.promised[0].job,
                    metadata: Self::metadata(),
                };
                let _ = CancelJobHandler::new(ports, work).handle(command).await;
            }
            Step::Wait(time) => bench.clock.advance(*time),
            Step::Work => {
                let _ = bench.runner.execute_due().await;
            }
            Step::KilledWorker(steps) => self.kill_a_worker(*steps).await,
            Step::React => {
                let _ = bench.completion().catch_up().await;
            }
            Step::LostAnswers(times) => bench.store.faults().lose_answers(Operation::Commit, *times),
            Step::Outage(operation @ (Operation::Commit | Operation::Read), times) => {
                bench.store.faults().fail_next(*operation, *times);
            }
            Step::Outage(operation, times) => bench.objects.faults().fail_next(*operation, *times),
        }
    }

    async fn kill_a_worker(&self, steps: u8) {
        let bench = &self.bench;
        let runner = Arc::new(WorkRunner::new(
            &bench.ports,
            &bench.settings,
            bench.board.clone(),
            bench.signals.clone(),
        ));
        let worker = tokio::spawn(async move { runner.execute_due().await });
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        worker.abort();
        let _ = worker.await;
    }

    /// The outside is well again, and time goes by until nothing is left to do.
    async fn drain(&self) {
        let bench = &self.bench;
        for operation in [Operation::Commit, Operation::Read] {
            bench.store.faults().fail_next(operation, 0);
            bench.store.faults().lose_answers(operation, 0);
        }
        for operation in [Operation::Head, Operation::Get, Operation::Put, Operation::Delete] {
            bench.objects.faults().fail_next(operation, 0);
        }
        for _ in 0..3 {
            bench.clock.advance(Duration::from_mins(1));
            bench.completion().catch_up().await.unwrap();
            bench.work_off_within(3 * DAY).await;
        }
        bench.completion().catch_up().await.unwrap();
    }

    async fn judge(&self) {
        let bench = &self.bench;
        bench.assert_record_is_sound().await;
        let log = bench.log().await;
        for promised in &self.promised {
            let photo = bench.photo(promised.photo).await;
            assert!(photo.status().is_terminal(), "{photo:?}");
            let events = bench.photo_events(promised.photo).await;
            self.judge_photo(promised.photo, &events, photo.status());
            let given_up = photo.deleted || photo.status() == PhotoStatus::Cancelled;
            let left = bench.objects.keys();
            let left = left
                .iter()
                .filter(|key| key.contains(&promised.photo.to_string()));
            if given_up {
                assert_eq!(left.count(), 0, "what was given up leaves nothing behind");
            } else if photo.status() == PhotoStatus::Completed {
                assert_eq!(left.count(), 3);
            }
        }
        self.judge_job(&log).await;
        // Only what is kept for a while is still to be cleaned.
        for kind in [WorkKind::Look, WorkKind::Process] {
            assert_eq!(bench.store.next_due(&[kind]).await.unwrap(), None, "{kind}");
        }
    }

    fn judge_photo(&self, photo: PhotoId, events: &[PhotoEvent], status: PhotoStatus) {
        let results = events
            .iter()
            .filter(|event| matches!(event, PhotoEvent::PhotoProcessingCompleted { .. }))
            .count();
        assert!(results <= 1, "{events:?}");
        let cancelled = events
            .iter()
            .any(|event| matches!(event, PhotoEvent::PhotoCancelled {} | PhotoEvent::PhotoDeleted {}));
        if self.answered.stored.contains(&photo) && !cancelled {
            let killed_too_often = matches!(
                events.last(),
                Some(PhotoEvent::PhotoFailed {
                    reason: rapidphoto_domain::photo::FailureReason::ProcessingError
                })
            );
            assert!(
                status == PhotoStatus::Completed || killed_too_often,
                "what was stored and answered is never lost: {events:?}"
            );
        }
        if !self.answered.stored.contains(&photo) {
            assert_eq!(results, 0);
        }
    }

    async fn judge_job(&self, log: &[rapidphoto_application::ports::StoredEvent]) {
        let job = self.promised[0].job;
        let mut rounds = BTreeMap::<u32, usize>::new();
        let mut last = None;
        for stored in log.iter().filter(|stored| stored.stream == StreamId::Job(job)) {
            if let DomainEvent::Job(JobEvent::UploadJobCompleted { round, counts, .. }) = &stored.event {
                *rounds.entry(*round).or_default() += 1;
                last = Some(*counts);
            }
        }
        assert!(rounds.values().all(|times| *times == 1), "{rounds:?}");
        let now = self.bench.job(job).await;
        assert!(
            rounds.keys().copied().eq(1..=now.round),
            "every round has ended: {rounds:?}"
        );
        let mut statuses = Vec::new();
        for promised in &self.promised {
            statuses.push(self.bench.photo(promised.photo).await.status());
        }
        assert_eq!(
            last,
            Some(JobCounts::of(statuses)),
            "and the last one as its photos stand"
        );
    }
}

async fn play(seed: u64, steps: Vec<Vec<Step>>) {
    let mut play = Play::new(seed).await;
    for together in steps {
        match together.as_slice() {
            [alone] => play.perform(alone).await,
            together => perform_together(&mut play, together).await,
        }
    }
    play.drain().await;
    play.judge().await;
}

/// Does steps side by side; the ports' staggering decides in which order they meet the record.
async fn perform_together(play: &mut Play, steps: &[Step]) {
    let (bench, promised, answered) = (&play.bench, &play.promised, &play.answered);
    let side_by_side = steps.iter().map(|step| async move {
        let mut own = Play {
            bench: bench.clone(),
            promised: promised.clone(),
            answered: Answered {
                stored: Vec::new(),
                events: answered.events.clone(),
            },
        };
        own.perform(step).await;
        own.answered
    });
    let all = futures::future::join_all(side_by_side).await;
    let known = answered.events.len();
    for answered in all {
        play.answered.stored.extend(answered.stored);
        play.answered
            .events
            .extend(answered.events.into_iter().skip(known));
    }
}

#[test]
fn whatever_meets_in_whatever_order_every_photo_reaches_one_end_and_nothing_stored_is_lost() {
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
            runtime.block_on(play(seed, steps));
            Ok(())
        })
        .unwrap();
}
