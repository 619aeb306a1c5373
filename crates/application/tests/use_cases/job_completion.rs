use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobError, CancelJobHandler},
    ports::{Commit, CommitError, Committed, Cursor, EventMetadata, Journal, Subscriptions},
    subscriptions::{JobCompletion, ReactError, Reactor},
};
use rapidphoto_domain::{
    DomainEvent, JobId, StreamId,
    job::{JobEvent, JobStatus, UploadJob},
    photo::{FailureReason, PhotoCommand, PhotoState, PhotoStatus},
};
use rapidphoto_memory::Operation;
use tokio_util::sync::CancellationToken;

use crate::bench::{BODY, Bench, DAY, Promised, count};

async fn completed(bench: &Bench, job: JobId) -> Vec<(u32, JobStatus)> {
    let events = bench.job_events(job).await;
    let completed = events.into_iter().filter_map(|event| match event {
        JobEvent::UploadJobCompleted { round, status, .. } => Some((round, status)),
        _ => None,
    });
    completed.collect()
}

async fn upload(bench: &Bench, promised: &[Promised]) {
    for promised in promised {
        assert_eq!(bench.put(promised).status, 200);
    }
    bench.deliver().await;
    bench.work_off().await;
}

/// Asks a photo something that no use case asks yet.
async fn ask(bench: &Bench, promised: &Promised, command: PhotoCommand) {
    use rapidphoto_application::ports::{
        AggregateState, Aggregates, Change, Commit, EventMetadata, Ids, NewEvent, NonEmpty,
    };
    let before = Aggregates::photo(&bench.store, promised.photo)
        .await
        .unwrap()
        .unwrap();
    let events = before.value.decide(command).unwrap();
    let mut commit = Commit::new(bench.now(), EventMetadata::default());
    let mut photo = before.value;
    for event in &events {
        photo = photo.apply(event);
        let orders =
            rapidphoto_application::work::orders_after(&photo, event, bench.now(), &bench.settings.work);
        commit.work.extend(orders);
    }
    commit.changes.push(Change {
        stream: photo.id.into(),
        expected: before.version,
        events: NonEmpty::from_vec(
            events
                .into_iter()
                .map(|event| NewEvent {
                    id: rapidphoto_domain::EventId::from_bits(bench.ids.ulid()),
                    event: event.into(),
                })
                .collect(),
        )
        .unwrap(),
        state: AggregateState::Photo(Box::new(photo)),
    });
    bench.ports.database.journal.commit(commit).await.unwrap();
}

async fn retry(bench: &Bench, promised: &Promised) {
    let window = bench.photo(promised.photo).await.window;
    ask(bench, promised, PhotoCommand::Retry { window }).await;
}

#[tokio::test]
async fn a_job_is_completed_once_all_of_its_photos_are_at_an_end() {
    let bench = Bench::new();
    let promised = bench.promise(3).await;
    let job = promised[0].job;
    upload(&bench, &promised[..2]).await;
    assert!(bench.completion().catch_up().await.unwrap());
    assert_eq!(completed(&bench, job).await, []);
    upload(&bench, &promised[2..]).await;
    for _ in 0..3 {
        bench.completion().catch_up().await.unwrap();
    }
    assert_eq!(completed(&bench, job).await, [(1, JobStatus::Completed)]);
    assert_eq!(bench.job(job).await.outcome.unwrap().counts.completed, 3);
    let log = bench.log().await;
    let event = log
        .iter()
        .find(|stored| stored.id == UploadJob::completion_id(job, 1))
        .unwrap();
    assert_eq!(event.metadata.causation_id, Some(log[log.len() - 2].id));
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn a_hundred_photos_that_end_together_end_their_job_with_one_commit() {
    let bench = Bench::new();
    let promised = bench.promise(100).await;
    upload(&bench, &promised).await;
    bench.completion().catch_up().await.unwrap();
    assert_eq!(completed(&bench, promised[0].job).await.len(), 1);
    let lease = bench
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap()
        .unwrap();
    let head = bench.ports.database.log.head().await.unwrap();
    assert_eq!(
        head.position(),
        lease.cursor.position() + 1,
        "the position has moved with it"
    );
}

#[tokio::test]
async fn reading_the_log_again_changes_nothing() {
    let bench = Bench::new();
    let failed = bench.promise_one().await;
    bench.finalize(failed.photo).await;
    bench.work_off_within(Duration::from_mins(1)).await;
    bench.completion().catch_up().await.unwrap();
    upload(&bench, std::slice::from_ref(&failed)).await;
    bench.completion().catch_up().await.unwrap();
    let cancelled = bench.promise(2).await;
    bench.cancel_job(cancelled[0].job).await;
    bench.completion().catch_up().await.unwrap();
    let before = bench.log().await;
    let reactor = JobCompletion::new(&bench.ports, bench.settings.work);
    let lease = bench
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap()
        .unwrap();
    let advance = rapidphoto_application::ports::Advance {
        name: lease.name,
        from: lease.cursor,
        to: lease.cursor,
        token: lease.token,
    };
    for start in 0..before.len() {
        let events: Vec<_> = before[start..]
            .iter()
            .filter(|stored| {
                let (name, _) = stored.event.encode().unwrap();
                reactor
                    .filter()
                    .matches(stored.stream.stream_type(), &name, stored.owner, stored.job)
            })
            .cloned()
            .collect();
        reactor.react(&events, advance).await.unwrap();
    }
    assert_eq!(bench.log().await.len(), before.len());
}

#[tokio::test]
async fn a_retry_begins_the_next_round_and_its_end_ends_it() {
    let bench = Bench::new();
    let promised = bench.promise(2).await;
    let job = promised[0].job;
    upload(&bench, &promised[..1]).await;
    bench.finalize(promised[1].photo).await;
    bench.work_off_within(Duration::from_mins(1)).await;
    bench.completion().catch_up().await.unwrap();
    assert_eq!(
        completed(&bench, job).await,
        [(1, JobStatus::CompletedWithErrors)]
    );
    // The object turns up after all.
    assert_eq!(bench.put(&promised[1]).status, 200);
    bench.deliver().await;
    bench.completion().catch_up().await.unwrap();
    assert_eq!(
        (bench.job(job).await.round, bench.job(job).await.outcome),
        (2, None)
    );
    bench.work_off().await;
    bench.completion().catch_up().await.unwrap();
    assert_eq!(
        completed(&bench, job).await,
        [(1, JobStatus::CompletedWithErrors), (2, JobStatus::Completed)]
    );
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn a_retry_that_has_ended_before_it_is_read_of_is_a_round_of_its_own() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    bench.finalize(promised.photo).await;
    bench.work_off_within(Duration::from_mins(1)).await;
    bench.completion().catch_up().await.unwrap();
    for round in 2..4 {
        retry(&bench, &promised).await;
        bench.finalize(promised.photo).await;
        bench.work_off_within(Duration::from_mins(1)).await;
        let reason = FailureReason::UploadMissing;
        assert_eq!(
            bench.photo(promised.photo).await.state,
            PhotoState::Failed { reason }
        );
        bench.completion().catch_up().await.unwrap();
        let rounds = completed(&bench, promised.job).await;
        assert_eq!(rounds.last(), Some(&(round, JobStatus::Failed)));
        assert_eq!(rounds.len(), usize::try_from(round).unwrap());
    }
}

#[tokio::test]
async fn the_photos_of_a_job_whose_cancellation_was_interrupted_are_cancelled() {
    let bench = Bench::new();
    let promised = bench.promise(3).await;
    upload(&bench, &promised[..1]).await;
    // The job's own event stands, and then the process ends.
    bench.store.faults().lose_answers(Operation::Commit, 1);
    let handler = CancelJobHandler::new(&bench.ports, bench.settings.work);
    let command = CancelJob {
        owner: bench.owner,
        job: promised[0].job,
        metadata: EventMetadata::default(),
    };
    assert!(handler.handle(command).await.is_err());
    assert_eq!(bench.status(promised[1].photo).await, PhotoStatus::Queued);
    bench.completion().catch_up().await.unwrap();
    for promised in &promised[1..] {
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Cancelled);
    }
    // The photos' own events have been written behind what was read.
    bench.completion().catch_up().await.unwrap();
    assert_eq!(
        completed(&bench, promised[0].job).await,
        [(1, JobStatus::Completed)]
    );
}

/// Somebody is always faster with what concerns a job itself.
struct Contended(Arc<dyn Journal>);

#[async_trait]
impl Journal for Contended {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        if commit
            .changes
            .iter()
            .any(|change| matches!(change.stream, StreamId::Job(_)))
        {
            return Err(CommitError::Conflict(Vec::new()));
        }
        self.0.commit(commit).await
    }
}

#[tokio::test]
async fn a_job_whose_cancellation_was_not_written_is_not_said_to_be_cancelled() {
    let mut bench = Bench::new();
    let promised = bench.promise(2).await;
    bench.ports.database.journal = Arc::new(Contended(Arc::clone(&bench.ports.database.journal)));
    let handler = CancelJobHandler::new(&bench.ports, bench.settings.work);
    let command = CancelJob {
        owner: bench.owner,
        job: promised[0].job,
        metadata: EventMetadata::default(),
    };
    let refused = handler.handle(command).await;
    assert!(
        matches!(refused, Err(CancelJobError::Contended(_))),
        "{refused:?}"
    );
    for promised in &promised {
        assert_eq!(bench.status(promised.photo).await, PhotoStatus::Queued);
    }
}

#[tokio::test]
async fn what_its_owner_tries_again_is_not_cancelled_by_what_was_said_before() {
    let bench = Bench::new();
    let promised = bench.promise(2).await;
    bench.finalize(promised[0].photo).await;
    bench.work_off_within(Duration::from_mins(1)).await;
    bench.cancel_job(promised[0].job).await;
    retry(&bench, &promised[0]).await;
    // The reactor comes late.
    bench.completion().catch_up().await.unwrap();
    assert_eq!(bench.status(promised[0].photo).await, PhotoStatus::Queued);
    assert_eq!(bench.status(promised[1].photo).await, PhotoStatus::Cancelled);
}

#[tokio::test]
async fn of_two_runners_one_runs_and_the_other_takes_over() {
    let bench = Arc::new(Bench::new());
    let promised = bench.promise_one().await;
    let held = bench
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(10))
        .await
        .unwrap()
        .unwrap();
    upload(&bench, std::slice::from_ref(&promised)).await;
    assert!(!bench.completion().catch_up().await.unwrap(), "another has it");
    bench.clock.advance(Duration::from_secs(10));
    assert!(bench.completion().catch_up().await.unwrap());
    assert_eq!(completed(&bench, promised.job).await.len(), 1);
    // The first one wakes up, and is told that it is not first any more.
    let reactor = JobCompletion::new(&bench.ports, bench.settings.work);
    let second = bench.promise_one().await;
    upload(&bench, std::slice::from_ref(&second)).await;
    let events: Vec<_> = bench
        .log()
        .await
        .into_iter()
        .filter(|event| event.job == Some(second.job))
        .collect();
    let advance = rapidphoto_application::ports::Advance {
        name: held.name,
        from: Cursor::START,
        to: Cursor::START,
        token: held.token,
    };
    assert!(matches!(
        reactor.react(&events, advance).await,
        Err(ReactError::LeaseLost)
    ));
    assert_eq!(completed(&bench, second.job).await, []);
}

#[tokio::test]
async fn it_goes_on_by_itself_through_every_fault() {
    let bench = Arc::new(Bench::new());
    let shutdown = CancellationToken::new();
    let runner = bench.completion();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { runner.run(shutdown).await }
    });
    let mut jobs = Vec::new();
    for fault in [Operation::Read, Operation::Claim, Operation::Commit] {
        let promised = bench.promise(3).await;
        upload(&bench, &promised).await;
        bench.store.faults().fail_next(fault, 2);
        // The subscription looks every 50 ms, whether it was told of something or not.
        tokio::time::sleep(Duration::from_millis(150)).await;
        bench.store.faults().fail_next(fault, 0);
        jobs.push(promised[0].job);
    }
    let all_done = async {
        for job in jobs {
            while completed(&bench, job).await.is_empty() {
                bench.clock.advance(Duration::from_millis(50));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_done)
        .await
        .expect("all jobs complete");
    shutdown.cancel();
    running.await.unwrap();
    let free = bench
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap();
    assert!(free.is_some(), "it was given back");
    let log = bench.log().await;
    let completions = count(&log, |stored| {
        matches!(
            stored.event,
            DomainEvent::Job(JobEvent::UploadJobCompleted { .. })
        )
    });
    assert_eq!(completions, 3);
}

#[tokio::test]
async fn a_photo_that_moves_while_its_job_is_decided_on_is_decided_on_anew() {
    for seed in 0..30 {
        let bench = Bench::with(seed, |_| {});
        bench.store.faults().stagger(seed);
        let promised = bench.promise_one().await;
        bench.finalize(promised.photo).await;
        bench.work_off_within(Duration::from_mins(1)).await;
        bench.put(&promised);
        let completion = bench.completion();
        let (caught_up, ()) = tokio::join!(completion.catch_up(), bench.deliver());
        caught_up.unwrap();
        bench.work_off_within(DAY).await;
        completion.catch_up().await.unwrap();
        let rounds = completed(&bench, promised.job).await;
        assert_eq!(rounds.last().map(|round| round.1), Some(JobStatus::Completed));
        assert_eq!(bench.job(promised.job).await.outcome.unwrap().counts.completed, 1);
        let ids: std::collections::BTreeSet<_> = rounds.iter().map(|round| round.0).collect();
        assert_eq!(
            ids.len(),
            rounds.len(),
            "one completion for each round: {rounds:?}"
        );
        bench.assert_record_is_sound().await;
        assert_eq!(
            bench.objects.bytes(&bench.original(promised.photo)).unwrap(),
            BODY
        );
    }
}
