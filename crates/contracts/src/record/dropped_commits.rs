//! Callers that go away in the middle: a commit is whole or absent, never in part.

use std::{future::Future, pin::pin, task::Poll};

use rapidphoto_application::ports::{Commit, CommitError, Committed, DatabasePorts, WorkKind};
use rapidphoto_domain::{StreamId, Version, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, LEASE, Writing, stands},
};

/// Polls a commit so often, with time for others in between, and gives it up.
async fn given_up_after(
    record: &DatabasePorts,
    commit: Commit,
    polls: usize,
) -> Option<Result<Committed, CommitError>> {
    let mut writing = pin!(record.journal.commit(commit));
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(writing.as_mut().poll(context))).await;
        if let Poll::Ready(outcome) = polled {
            return Some(outcome);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Wherever a commit's future is dropped, the record holds all of it or none of it; trying again makes it whole.
pub async fn a_commit_whose_future_is_dropped_is_whole_or_absent<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut bystander = given::photo(&record, now, owner).await;
    for attempt in 0..40 {
        let worked = given::photo(&record, now, owner).await;
        let claim = given::claimed(&record, now, &worked, WorkKind::Clean).await.token;
        let mut commit = given::commit(now);
        let job = commit.write_job(owner, 3).value.id;
        let photos: Vec<_> = (0..3)
            .map(|_| commit.write_photo(given::promise(now, owner, job)))
            .collect();
        for photo in &photos {
            commit
                .work
                .push(given::schedule(photo, WorkKind::Look, now + LEASE));
        }
        commit
            .work
            .push(rapidphoto_application::ports::WorkOrder::Finish { claim });
        let kept = given::idempotency(owner, &format!("key {attempt}"), now + LEASE);
        commit.idempotency = Some(kept.clone());

        let outcome = given_up_after(&record, commit.clone(), attempt % 8).await;
        // A store that goes on by itself has done so once it has answered another commit.
        bystander = given::command(
            &record,
            now,
            &bystander,
            PhotoCommand::Renew {
                window: given::window(now),
            },
        )
        .await;

        let written = record.log.latest_version(job.into()).await.unwrap() == Version(1);
        if let Some(outcome) = outcome {
            outcome.unwrap();
            assert!(written, "a commit that was answered stands");
        }
        let looks = |version| {
            photos
                .iter()
                .map(move |photo| (StreamId::from(photo.value.id), version))
        };
        for (stream, version) in looks(Version(u64::from(written))) {
            assert_eq!(record.log.latest_version(stream).await.unwrap(), version);
        }
        let view = record.jobs.job(owner, job).await.unwrap();
        assert_eq!(view.map(|view| view.photos.len()), written.then_some(3));
        let key = record
            .idempotency
            .idempotency(owner, &kept.key, now)
            .await
            .unwrap();
        assert_eq!(key.is_some(), written);
        assert_eq!(record.work.renew(claim, LEASE).await.unwrap(), !written);

        let again = stands(&record, commit).await;
        assert_eq!(again.repeated, written);
        let view = record.jobs.job(owner, job).await.unwrap().unwrap();
        assert_eq!(view.photos.len(), 3);
    }
}

/// Callers that go away all the time keep nobody else from writing.
pub async fn callers_that_go_away_hold_nobody_up<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    for polls in 0..60 {
        let mut commit = given::commit(now);
        commit.write_job(owner, 0);
        given_up_after(&record, commit, polls % 3).await;
    }
    let photo = given::photo(&record, now, owner).await;
    given::command(&record, now, &photo, PhotoCommand::Cancel).await;
}
