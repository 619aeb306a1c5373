//! Fifty concurrent commits: exactly one succeeds, and each other one receives the reason.

use rapidphoto_application::ports::{
    Commit, CommitError, Committed, DatabasePorts, Guard, Unique, WorkKind, WorkOrder,
};
use rapidphoto_domain::{Version, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, LEASE},
    observations,
};

const WRITERS: usize = 50;

/// Writes all commits concurrently and returns their outcomes.
async fn race(db: &DatabasePorts, commits: Vec<Commit>) -> Vec<Result<Committed, CommitError>> {
    let writers: Vec<_> = commits
        .into_iter()
        .map(|commit| {
            let db = db.clone();
            tokio::spawn(async move { db.journal.commit(commit).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for writer in writers {
        outcomes.push(writer.await.unwrap());
    }
    outcomes
}

/// Asserts that one commit succeeded and that all others failed with an error accepted by `is_expected`.
fn assert_one_succeeds(
    outcomes: Vec<Result<Committed, CommitError>>,
    is_expected: impl Fn(&CommitError) -> bool,
) {
    assert_eq!(outcomes.len(), WRITERS);
    let (succeeded, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(succeeded.len(), 1);
    for outcome in failed {
        let error = outcome.unwrap_err();
        assert!(is_expected(&error), "{error:?}");
    }
}

/// One of concurrent writers of the same version of a stream succeeds.
pub async fn one_of_concurrent_writers_of_a_version_wins<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        commit.write_command(&photo, PhotoCommand::StartUpload);
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| matches!(error, CommitError::Conflict(_)));
    let stream = photo.value.id.into();
    assert_eq!(db.log.latest_version(stream).await.unwrap(), Version(2));
}

/// Concurrent commits that change the same streams in different orders do not deadlock, and one succeeds.
pub async fn concurrent_commits_on_the_same_streams_do_not_deadlock<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 8).await;
    let commits = (0..WRITERS).map(|writer| {
        let mut commit = fixtures::commit(now);
        let (first, second) = photos.split_at(writer % photos.len());
        for photo in second.iter().chain(first) {
            commit.write_command(photo, PhotoCommand::Cancel);
        }
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| matches!(error, CommitError::Conflict(_)));
    for photo in &photos {
        let version = db.log.latest_version(photo.value.id.into()).await.unwrap();
        assert_eq!(version, Version(2));
    }
}

/// One of concurrent requests with the same upload id creates a photo.
pub async fn one_of_concurrent_photos_with_an_upload_id_is_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let upload_id = fixtures::upload_id();
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 1);
        let mut declared = fixtures::declared_photo(now, owner, job.value.id);
        declared.upload_id = upload_id;
        commit.write_photo(declared);
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    let taken = Unique::UploadId { owner, upload_id };
    assert_one_succeeds(
        outcomes,
        |error| matches!(error, CommitError::Duplicate(unique) if *unique == taken),
    );
    assert_eq!(
        db.photos.by_upload_ids(owner, &[upload_id]).await.unwrap().len(),
        1
    );
    assert_eq!(observations::log(&db).await.len(), 1 + 2);
}

/// One of concurrent requests with the same idempotency key is written.
pub async fn one_of_concurrent_requests_with_an_idempotency_key_is_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 0);
        let mut kept = fixtures::idempotency(owner, "key", now + LEASE);
        kept.job = Some(job.value.id);
        commit.idempotency = Some(kept);
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| {
        matches!(error, CommitError::Duplicate(Unique::IdempotencyKey))
    });
    assert_eq!(observations::log(&db).await.len(), 1 + 1);
}

/// One of concurrent registrations of an e-mail address creates an account.
pub async fn one_of_concurrent_registrations_of_an_address_is_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let email = fixtures::email();
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        commit.write_user(&email);
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| {
        matches!(error, CommitError::Duplicate(Unique::Email))
    });
    assert_eq!(db.state_rows.stream_count().await.unwrap(), 1);
}

/// A commit sent many times concurrently is written once, and all callers receive success.
pub async fn a_concurrently_repeated_commit_is_written_once<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1);
    commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    let outcomes = race(&db, vec![commit; WRITERS]).await;
    let committed: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        committed.iter().filter(|committed| !committed.repeated).count(),
        1
    );
    assert!(committed.iter().all(|one| one.cursor == committed[0].cursor));
    assert_eq!(observations::log(&db).await.len(), 1 + 2);
}

/// One of concurrent commits under the same claim is written.
pub async fn one_of_concurrent_commits_under_a_claim_is_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        commit.write_job(owner, 0);
        commit.work.push(WorkOrder::Finish { claim });
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| matches!(error, CommitError::StaleClaim { .. }));
    assert_eq!(observations::log(&db).await.len(), 1 + 2 + 1);
}

/// An event with a derived id is written once: one of concurrent writers succeeds, the others receive its commit as
/// repeated.
pub async fn an_event_with_a_derived_id_is_written_once<H: DatabaseHarness>(harness: H) {
    use rapidphoto_domain::{
        EventId,
        job::{JobEvent, UploadJob},
    };
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, _) = fixtures::job(&db, now, owner, 1).await;
    let id: EventId = UploadJob::completion_id(job.value.id, 1);
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
        commit.changes[0].events[0].id = id;
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    let committed: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        committed.iter().filter(|committed| !committed.repeated).count(),
        1
    );
    assert_eq!(
        db.log.latest_version(job.value.id.into()).await.unwrap(),
        Version(2)
    );
}

/// Of commits that each write a stream which the others guard, one is written, and the others conflict with the stream
/// that it moved.
pub async fn two_streams_that_guard_each_other_are_not_both_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    for _ in 0..4 {
        let (_, photos) = fixtures::job(&db, now, owner, 2).await;
        let commits = (0..WRITERS).map(|writer| {
            let (written, guarded) = (&photos[writer % 2], &photos[1 - writer % 2]);
            let mut commit = fixtures::commit(now);
            commit.write_command(written, PhotoCommand::StartUpload);
            commit.guards.push(Guard {
                stream: guarded.value.id.into(),
                version: guarded.version,
            });
            commit
        });
        let outcomes = race(&db, commits.collect()).await;
        assert_one_succeeds(
            outcomes,
            |error| matches!(error, CommitError::Conflict(moved) if moved.len() == 1),
        );
    }
}

/// Of concurrent requests with the same upload ids in opposite orders, one creates its job, and none deadlocks.
pub async fn requests_with_the_same_files_in_opposite_orders_create_one_job<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let upload_ids: Vec<_> = (0..8).map(|_| fixtures::upload_id()).collect();
    let commits = (0..WRITERS).map(|writer| {
        let mut commit = fixtures::commit(now);
        let job = commit.write_job(owner, 8);
        let mut upload_ids = upload_ids.clone();
        if writer % 2 == 1 {
            upload_ids.reverse();
        }
        for upload_id in upload_ids {
            let mut declared = fixtures::declared_photo(now, owner, job.value.id);
            declared.upload_id = upload_id;
            commit.write_photo(declared);
        }
        commit
    });
    let outcomes = race(&db, commits.collect()).await;
    assert_one_succeeds(outcomes, |error| {
        matches!(error, CommitError::Duplicate(Unique::UploadId { .. }))
    });
    assert_eq!(observations::log(&db).await.len(), 1 + 1 + 8);
}

/// A commit that guards a stream which an open commit writes, and writes one that the open commit guards: one of the
/// two is written.
pub async fn an_open_commit_and_one_that_guards_it_are_not_both_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let guarded = |written: usize| {
        let mut commit = fixtures::commit(now);
        commit.write_command(&photos[written], PhotoCommand::StartUpload);
        let other = &photos[1 - written];
        commit.guards.push(Guard {
            stream: other.value.id.into(),
            version: other.version,
        });
        commit
    };
    let Some(open) = harness.open_commit(guarded(0)).await else {
        return;
    };
    let journal = db.journal.clone();
    let later = guarded(1);
    let later = tokio::spawn(async move { journal.commit(later).await });
    tokio::task::yield_now().await;
    let outcomes = [open.await, later.await.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
    let conflicts =
        |outcome: &Result<Committed, CommitError>| matches!(outcome, Err(CommitError::Conflict(_)));
    assert_eq!(
        outcomes.iter().filter(|outcome| conflicts(outcome)).count(),
        1,
        "{outcomes:?}"
    );
}
