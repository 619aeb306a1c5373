//! Concurrent writers of one stream that retry after a version conflict.

use rapidphoto_application::{
    commit::{Contended, Decided, RetryPolicy, WriteError, commit_with_retry},
    ports::{CommitError, DatabasePorts},
};
use rapidphoto_domain::{PhotoId, Timestamp, Version, photo::PhotoCommand, values::TagLabel};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt},
    observations,
};

const WRITERS: u64 = 20;

/// Adds a tag named after the writer, under this retry policy.
async fn tag(
    db: &DatabasePorts,
    photo: PhotoId,
    writer: u64,
    policy: RetryPolicy,
    now: Timestamp,
) -> Result<(), WriteError> {
    let label = TagLabel::parse(&format!("writer-{writer}")).unwrap();
    commit_with_retry(&*db.journal, policy, || async {
        let current = db.aggregates.photo(photo).await?.unwrap();
        let mut commit = fixtures::commit(now);
        let labels = [label.clone()].into();
        commit.write_command(&current, PhotoCommand::Tag { labels });
        Ok(Decided::of(commit, ()))
    })
    .await
}

/// Lets all writers tag one photo concurrently. Returns their outcomes and the photo.
async fn race(
    db: &DatabasePorts,
    now: Timestamp,
    policy: RetryPolicy,
) -> (Vec<Result<(), WriteError>>, PhotoId) {
    let owner = fixtures::user(db, now).await;
    let photo = fixtures::photo(db, now, owner).await.value.id;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            tokio::spawn(async move { tag(&db, photo, writer, policy, now).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for writer in writers {
        outcomes.push(writer.await.unwrap());
    }
    (outcomes, photo)
}

/// One writer succeeds in each round, so that as many attempts as there are writers suffice for all of them.
pub async fn concurrent_writers_that_retry_are_all_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let attempts = u32::try_from(WRITERS).unwrap();
    let policy = RetryPolicy::on_conflict("the photo", attempts);
    let (outcomes, photo) = race(&db, now, policy).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let stored = db.aggregates.photo(photo).await.unwrap().unwrap();
    assert_eq!(stored.version, Version(1 + WRITERS));
    assert_eq!(stored.value.tags.len() as u64, WRITERS);
}

/// A writer that uses up its attempts writes nothing; every other one writes once.
pub async fn every_concurrent_writer_is_written_or_contended<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let policy = RetryPolicy::on_conflict("the photo", 2);
    let (outcomes, photo) = race(&db, now, policy).await;
    let mut written = 0;
    for outcome in outcomes {
        match outcome {
            Ok(()) => written += 1,
            Err(error) => assert!(
                matches!(
                    error,
                    WriteError::Contended(Contended {
                        subject: "the photo",
                        attempts: 2
                    })
                ),
                "{error:?}"
            ),
        }
    }
    assert!(written > 0);
    let stored = db.aggregates.photo(photo).await.unwrap().unwrap();
    assert_eq!(stored.version, Version(1 + written));
    assert_eq!(stored.value.tags.len() as u64, written);
}

/// A conflict reports the version of the stream, and a load of the aggregate afterwards returns that version or a later
/// one: the next decision is not made on the state that has just conflicted.
pub async fn a_reload_after_a_conflict_sees_the_conflicting_version<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let commits = (0..WRITERS).map(|_| {
        let mut commit = fixtures::commit(now);
        commit.write_command(&photo, PhotoCommand::StartUpload);
        commit
    });
    let writers: Vec<_> = commits
        .map(|commit| {
            let db = db.clone();
            let stream = photo.value.id;
            tokio::spawn(async move {
                let outcome = db.journal.commit(commit).await;
                let reloaded = db.aggregates.photo(stream).await.unwrap().unwrap();
                let in_log = db.log.latest_version(stream.into()).await.unwrap();
                (outcome, reloaded.version, in_log)
            })
        })
        .collect();
    for writer in writers {
        let (outcome, reloaded, in_log) = writer.await.unwrap();
        let reported = match outcome {
            Ok(_) => Version(2),
            rejected @ Err(CommitError::Conflict(_)) => {
                let conflicts = observations::conflicts(rejected);
                assert_eq!(conflicts.len(), 1);
                assert_eq!(conflicts[0].expected, photo.version);
                assert!(conflicts[0].actual > photo.version, "{conflicts:?}");
                conflicts[0].actual
            }
            Err(error) => panic!("{error:?}"),
        };
        assert!(
            reloaded >= reported && in_log >= reported,
            "{reloaded} {in_log} {reported}"
        );
    }
}
