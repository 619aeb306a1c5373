use std::time::Duration;

use rapidphoto_application::{
    jobs::{CancelJob, CancelJobHandler},
    ports::{Advance, EventMetadata, Subscriptions},
    subscriptions::{JobCompletion, Reactor},
};
use rapidphoto_domain::{
    job::{JobStatus, UploadJob},
    photo::{FailureReason, PhotoState, PhotoStatus},
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, DAY},
};

use crate::support::{completions, retry};

#[tokio::test]
async fn a_job_is_completed_once_when_all_of_its_photos_are_final() {
    let app = TestApp::new();
    let declared = app.declare(3).await;
    let job = declared[0].job;
    app.upload(&declared[..2]).await;
    assert!(app.completion().catch_up().await.unwrap());
    assert_eq!(completions(&app, job).await, []);
    app.upload(&declared[2..]).await;
    for _ in 0..3 {
        app.completion().catch_up().await.unwrap();
    }
    assert_eq!(completions(&app, job).await, [(1, JobStatus::Completed)]);
    assert_eq!(app.job(job).await.outcome.unwrap().counts.completed, 3);
    let log = app.log().await;
    let event = log
        .iter()
        .find(|stored| stored.id == UploadJob::completion_id(job, 1))
        .unwrap();
    assert_eq!(event.metadata.causation_id, Some(log[log.len() - 2].id));
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_job_of_a_hundred_photos_is_completed_in_one_commit() {
    let app = TestApp::new();
    let declared = app.declare(100).await;
    app.upload(&declared).await;
    app.completion().catch_up().await.unwrap();
    assert_eq!(completions(&app, declared[0].job).await.len(), 1);
    let lease = app
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap()
        .unwrap();
    let head = app.ports.database.log.head().await.unwrap();
    assert_eq!(
        head.position(),
        lease.cursor.position() + 1,
        "the position was stored with the completion"
    );
}

#[tokio::test]
async fn processing_the_log_again_changes_nothing() {
    let app = TestApp::new();
    let failed = app.declare_one().await;
    app.finalize(failed.photo).await;
    app.execute_for(Duration::from_mins(1)).await;
    app.completion().catch_up().await.unwrap();
    app.upload(std::slice::from_ref(&failed)).await;
    app.completion().catch_up().await.unwrap();
    let cancelled = app.declare(2).await;
    app.cancel_job(cancelled[0].job).await;
    app.completion().catch_up().await.unwrap();
    let before = app.log().await;
    let reactor = JobCompletion::new(&app.ports, app.settings.work);
    let lease = app
        .store
        .acquire(JobCompletion::NAME, Duration::from_secs(1))
        .await
        .unwrap()
        .unwrap();
    let advance = Advance {
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
    assert_eq!(app.log().await.len(), before.len());
}

#[tokio::test]
async fn a_retry_starts_the_next_round_of_its_job() {
    let app = TestApp::new();
    let declared = app.declare(2).await;
    let job = declared[0].job;
    app.upload(&declared[..1]).await;
    app.finalize(declared[1].photo).await;
    app.execute_for(Duration::from_mins(1)).await;
    app.completion().catch_up().await.unwrap();
    assert_eq!(
        completions(&app, job).await,
        [(1, JobStatus::CompletedWithErrors)]
    );
    // The object is stored after its photo has failed.
    assert_eq!(app.put(&declared[1]).status, 200);
    app.deliver_storage_events().await;
    app.completion().catch_up().await.unwrap();
    assert_eq!((app.job(job).await.round, app.job(job).await.outcome), (2, None));
    app.execute_due().await;
    app.completion().catch_up().await.unwrap();
    assert_eq!(
        completions(&app, job).await,
        [(1, JobStatus::CompletedWithErrors), (2, JobStatus::Completed)]
    );
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_retry_that_fails_before_it_is_processed_is_a_round() {
    let app = TestApp::new();
    let declared = app.declare_one().await;
    app.finalize(declared.photo).await;
    app.execute_for(Duration::from_mins(1)).await;
    app.completion().catch_up().await.unwrap();
    for round in 2..4 {
        retry(&app, &declared).await;
        app.finalize(declared.photo).await;
        app.execute_for(Duration::from_mins(1)).await;
        let reason = FailureReason::UploadMissing;
        assert_eq!(
            app.photo(declared.photo).await.state,
            PhotoState::Failed { reason }
        );
        app.completion().catch_up().await.unwrap();
        let rounds = completions(&app, declared.job).await;
        assert_eq!(rounds.last(), Some(&(round, JobStatus::Failed)));
        assert_eq!(rounds.len(), usize::try_from(round).unwrap());
    }
}

#[tokio::test]
async fn an_interrupted_cancellation_of_a_job_is_completed() {
    let app = TestApp::new();
    let declared = app.declare(150).await;
    app.upload(&declared[..1]).await;
    // The event of the job and the first 100 photos are stored, but the process crashes.
    app.store.faults().lose_answers(Operation::Commit, 1);
    let handler = CancelJobHandler::new(&app.ports, app.settings.work);
    let command = CancelJob {
        owner: app.owner,
        job: declared[0].job,
        metadata: EventMetadata::default(),
    };
    assert!(handler.handle(command).await.is_err());
    assert_eq!(app.status(declared[100].photo).await, PhotoStatus::Cancelled);
    assert_eq!(app.status(declared[101].photo).await, PhotoStatus::Queued);
    app.completion().catch_up().await.unwrap();
    for declared in &declared[1..] {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Cancelled);
    }
    // The events of the photos are in the log after those that were processed.
    app.completion().catch_up().await.unwrap();
    assert_eq!(
        completions(&app, declared[0].job).await,
        [(1, JobStatus::Completed)]
    );
}

#[tokio::test]
async fn a_photo_that_is_retried_after_a_cancellation_is_not_cancelled() {
    let app = TestApp::new();
    // The reactor cancels the last one.
    let declared = app.declare(102).await;
    app.finalize(declared[0].photo).await;
    app.execute_for(Duration::from_mins(1)).await;
    app.cancel_job(declared[0].job).await;
    retry(&app, &declared[0]).await;
    assert_eq!(app.status(declared[101].photo).await, PhotoStatus::Queued);
    // The subscription processes the cancellation after the retry.
    app.completion().catch_up().await.unwrap();
    assert_eq!(app.status(declared[0].photo).await, PhotoStatus::Queued);
    for declared in &declared[1..] {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Cancelled);
    }
}

#[tokio::test]
async fn a_repeated_cancellation_cancels_photos_that_were_retried_since_the_first() {
    let app = TestApp::new();
    let declared = app.declare(301).await;
    for failed in &declared[1..] {
        app.finalize(failed.photo).await;
    }
    app.execute_for(Duration::from_mins(1)).await;
    app.cancel_job(declared[0].job).await;
    for failed in &declared[1..] {
        retry(&app, failed).await;
    }
    app.cancel_job(declared[0].job).await;
    app.completion().catch_up().await.unwrap();
    for declared in &declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Cancelled);
    }
}

#[tokio::test]
async fn a_photo_that_changes_during_the_completion_of_its_job_is_counted_in_its_new_state() {
    for seed in 0..30 {
        let app = TestApp::seeded(seed);
        app.store.faults().yield_randomly(seed);
        let declared = app.declare_one().await;
        app.finalize(declared.photo).await;
        app.execute_for(Duration::from_mins(1)).await;
        app.put(&declared);
        let completion = app.completion();
        let (caught_up, ()) = tokio::join!(completion.catch_up(), app.deliver_storage_events());
        caught_up.unwrap();
        app.execute_for(DAY).await;
        completion.catch_up().await.unwrap();
        let rounds = completions(&app, declared.job).await;
        assert_eq!(rounds.last().map(|round| round.1), Some(JobStatus::Completed));
        assert_eq!(app.job(declared.job).await.outcome.unwrap().counts.completed, 1);
        let ids: std::collections::BTreeSet<_> = rounds.iter().map(|round| round.0).collect();
        assert_eq!(
            ids.len(),
            rounds.len(),
            "one completion for each round: {rounds:?}"
        );
        app.assert_rows_match_events().await;
        assert_eq!(
            app.objects.bytes(&app.original_key(declared.photo)).unwrap(),
            BODY
        );
    }
}
