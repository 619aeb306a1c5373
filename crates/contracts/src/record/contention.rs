//! Concurrent writers of one stream that decide again after a version conflict.

use rapidphoto_application::{
    commit::{Contended, Decided, RetryPolicy, WriteError, commit_with_retry},
    ports::{CommitError, DatabasePorts},
};
use rapidphoto_domain::{PhotoId, Timestamp, Version, photo::PhotoCommand, values::TagLabel};

use super::{
    RecordHarness,
    given::{self, Writing},
    seen,
};

const WRITERS: u64 = 20;

/// Adds a tag of the writer's own, under this policy.
async fn tag(
    record: &DatabasePorts,
    photo: PhotoId,
    writer: u64,
    policy: RetryPolicy,
    now: Timestamp,
) -> Result<(), WriteError> {
    let label = TagLabel::parse(&format!("writer-{writer}")).unwrap();
    commit_with_retry(&*record.journal, policy, || async {
        let current = record.aggregates.photo(photo).await?.unwrap();
        let mut commit = given::commit(now);
        let labels = [label.clone()].into();
        commit.write_command(&current, PhotoCommand::Tag { labels });
        Ok(Decided::of(commit, ()))
    })
    .await
}

/// Lets all writers tag one photo concurrently. Returns their outcomes and the photo.
async fn race(
    record: &DatabasePorts,
    now: Timestamp,
    policy: RetryPolicy,
) -> (Vec<Result<(), WriteError>>, PhotoId) {
    let owner = given::user(record, now).await;
    let photo = given::photo(record, now, owner).await.value.id;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let record = record.clone();
            tokio::spawn(async move { tag(&record, photo, writer, policy, now).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for writer in writers {
        outcomes.push(writer.await.unwrap());
    }
    (outcomes, photo)
}

/// One writer wins each round, so that as many attempts as there are writers are enough for all of them.
pub async fn concurrent_writers_that_retry_are_all_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let attempts = u32::try_from(WRITERS).unwrap();
    let policy = RetryPolicy::on_conflict("the photo", attempts);
    let (outcomes, photo) = race(&record, now, policy).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let stored = record.aggregates.photo(photo).await.unwrap().unwrap();
    assert_eq!(stored.version, Version(1 + WRITERS));
    assert_eq!(stored.value.tags.len() as u64, WRITERS);
}

/// A writer that uses up its attempts has written nothing; every other is written once.
pub async fn every_concurrent_writer_is_written_or_contended<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let policy = RetryPolicy::on_conflict("the photo", 2);
    let (outcomes, photo) = race(&record, now, policy).await;
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
    let stored = record.aggregates.photo(photo).await.unwrap().unwrap();
    assert_eq!(stored.version, Version(1 + written));
    assert_eq!(stored.value.tags.len() as u64, written);
}

/// A conflict names the version that the stream has, and whoever loads the aggregate afterwards sees that version or a
/// later one: the next decision is not made on the state that has just conflicted.
pub async fn a_reload_after_a_conflict_sees_the_conflicting_version<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let commits = (0..WRITERS).map(|_| {
        let mut commit = given::commit(now);
        commit.write_command(&photo, PhotoCommand::StartUpload);
        commit
    });
    let writers: Vec<_> = commits
        .map(|commit| {
            let record = record.clone();
            let stream = photo.value.id;
            tokio::spawn(async move {
                let outcome = record.journal.commit(commit).await;
                let reloaded = record.aggregates.photo(stream).await.unwrap().unwrap();
                let in_log = record.log.latest_version(stream.into()).await.unwrap();
                (outcome, reloaded.version, in_log)
            })
        })
        .collect();
    for writer in writers {
        let (outcome, reloaded, in_log) = writer.await.unwrap();
        let seen = match outcome {
            Ok(_) => Version(2),
            refused @ Err(CommitError::Conflict(_)) => {
                let conflicts = seen::conflicts(refused);
                assert_eq!(conflicts.len(), 1);
                assert_eq!(conflicts[0].expected, photo.version);
                assert!(conflicts[0].actual > photo.version, "{conflicts:?}");
                conflicts[0].actual
            }
            Err(error) => panic!("{error:?}"),
        };
        assert!(reloaded >= seen && in_log >= seen, "{reloaded} {in_log} {seen}");
    }
}
