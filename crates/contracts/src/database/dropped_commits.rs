//! Commits whose future is dropped: written in full or not at all.

use std::{future::Future, pin::pin, task::Poll};

use rapidphoto_application::ports::{Commit, CommitError, Committed, DatabasePorts, WorkKind};
use rapidphoto_domain::{StreamId, Version, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, LEASE, commit_ok},
};

/// Polls a commit the given number of times, yields in between, then drops it. Returns its outcome if there was one.
async fn dropped_after(
    db: &DatabasePorts,
    commit: Commit,
    polls: usize,
) -> Option<Result<Committed, CommitError>> {
    let mut writing = pin!(db.journal.commit(commit));
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(writing.as_mut().poll(context))).await;
        if let Poll::Ready(outcome) = polled {
            return Some(outcome);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Wherever a commit's future is dropped, the database contains all of it or nothing. A retry completes it.
pub async fn a_dropped_commit_is_written_in_full_or_not_at_all<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut other_photo = fixtures::photo(&db, now, owner).await;
    for attempt in 0..40 {
        let worked = fixtures::photo(&db, now, owner).await;
        let claim = fixtures::claim_work(&db, now, &worked, WorkKind::Clean)
            .await
            .token;
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 3).value.id;
        let photos: Vec<_> = (0..3)
            .map(|_| commit.write_photo(fixtures::declared_photo(now, owner, job)))
            .collect();
        for photo in &photos {
            commit
                .work
                .push(fixtures::schedule_after(photo, WorkKind::Look, LEASE));
        }
        commit
            .work
            .push(rapidphoto_application::ports::WorkOrder::Finish { claim });
        let kept = fixtures::idempotency(owner, &format!("key {attempt}"), now + LEASE);
        commit.idempotency = Some(kept.clone());

        let outcome = dropped_after(&db, commit.clone(), attempt % 8).await;
        // A writer that completes a dropped commit has done so once it has acknowledged a later one, or is waited for.
        harness.settled().await;
        other_photo = fixtures::execute(
            &db,
            now,
            &other_photo,
            PhotoCommand::Renew {
                window: fixtures::window(now),
            },
        )
        .await;

        let written = db.log.latest_version(job.into()).await.unwrap() == Version(1);
        if let Some(outcome) = outcome {
            outcome.unwrap();
            assert!(written, "an acknowledged commit is written");
        }
        let looks = |version| {
            photos
                .iter()
                .map(move |photo| (StreamId::from(photo.value.id), version))
        };
        for (stream, version) in looks(Version(u64::from(written))) {
            assert_eq!(db.log.latest_version(stream).await.unwrap(), version);
        }
        let view = db.jobs.job(owner, job).await.unwrap();
        assert_eq!(view.map(|view| view.photos.len()), written.then_some(3));
        let key = db.idempotency.idempotency(owner, &kept.key, now).await.unwrap();
        assert_eq!(key.is_some(), written);
        assert_eq!(db.work.renew(claim, LEASE).await.unwrap(), !written);

        let again = commit_ok(&db, commit).await;
        assert_eq!(again.repeated, written);
        let view = db.jobs.job(owner, job).await.unwrap().unwrap();
        assert_eq!(view.photos.len(), 3);
    }
}

/// Dropped commits do not block later ones.
pub async fn dropped_commits_do_not_block_later_commits<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    for polls in 0..60 {
        let mut commit = fixtures::commit(now);
        commit.write_job(owner, 0);
        dropped_after(&db, commit, polls % 3).await;
    }
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
}
