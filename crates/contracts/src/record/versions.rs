//! Expected versions and guards: nobody writes on what has moved.

use rapidphoto_application::ports::{Guard, VersionConflict};
use rapidphoto_domain::{Version, job::JobEvent, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen::{Everything, conflicts},
};

/// A stream that does not exist is at version 0.
pub async fn a_stream_begins_at_version_zero<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let strange = given::photo_id().into();
    assert_eq!(record.log.latest_version(strange).await.unwrap(), Version::NEW);
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    assert_eq!(
        record.log.latest_version(photo.value.id.into()).await.unwrap(),
        Version(1)
    );
    assert_eq!(record.log.latest_version(strange).await.unwrap(), Version::NEW);
}

/// Each event counts one, several in one commit too.
pub async fn every_event_moves_its_stream_by_one<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut commit = given::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    let mut finished = given::commit(now);
    let after = finished.write_command(&started, PhotoCommand::CompleteUpload);
    // Both steps as one change.
    let second = finished.changes.remove(0);
    commit.changes[0].events.extend(second.events);
    commit.changes[0].state = second.state;
    stands(&record, commit).await;
    let stream = photo.value.id.into();
    assert_eq!(record.log.latest_version(stream).await.unwrap(), Version(3));
    let versions: Vec<_> = record.log.events(stream, Version::NEW).await.unwrap();
    assert_eq!(
        versions.iter().map(|event| event.version.0).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let loaded = record.aggregates.photo(photo.value.id).await.unwrap().unwrap();
    assert_eq!((loaded.version, loaded.value), (Version(3), after.value));
}

/// Neither an older nor a later version than the present one will do.
pub async fn a_wrong_expected_version_is_a_conflict_either_way<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let current = given::command(&record, now, &photo, PhotoCommand::StartUpload).await;
    let before = Everything::of(&record).await;
    for expected in [0, 1, 3, 100].map(Version) {
        let mut commit = given::commit(now);
        commit.write_command(&current, PhotoCommand::CompleteUpload);
        commit.changes[0].expected = expected;
        let conflict = VersionConflict {
            stream: photo.value.id.into(),
            expected,
            actual: Version(2),
        };
        assert_eq!(conflicts(record.journal.commit(commit).await), [conflict]);
    }
    assert_eq!(Everything::of(&record).await, before);
}

/// A caller that gets a conflict learns of every stream that moved, not only of the first.
pub async fn a_conflict_lists_every_stream_and_guard_that_moved<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 4).await;
    for photo in &photos[..2] {
        given::command(&record, now, photo, PhotoCommand::StartUpload).await;
    }
    let mut moved = given::commit(now);
    moved.write_job_event(&job, JobEvent::UploadJobCancelled {});
    stands(&record, moved).await;

    let mut commit = given::commit(now);
    for photo in &photos[..3] {
        commit.write_command(photo, PhotoCommand::Cancel);
    }
    for (stream, version) in [(job.value.id.into(), 1), (photos[3].value.id.into(), 1)] {
        let version = Version(version);
        commit.guards.push(Guard { stream, version });
    }
    let mut expected = [
        job.value.id.into(),
        photos[0].value.id.into(),
        photos[1].value.id.into(),
    ]
    .map(|stream| VersionConflict {
        stream,
        expected: Version(1),
        actual: Version(2),
    });
    expected.sort_by_key(|conflict| conflict.stream);
    assert_eq!(conflicts(record.journal.commit(commit).await), expected);
}

/// A guard that holds lets a commit through, moves nothing, and can name a stream that must not exist.
pub async fn a_guard_that_holds_changes_nothing<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 1).await;
    let strange = given::photo_id();
    let mut commit = given::commit(now);
    commit.write_command(&photos[0], PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: job.value.id.into(),
        version: Version(1),
    });
    commit.guards.push(Guard {
        stream: strange.into(),
        version: Version::NEW,
    });
    stands(&record, commit).await;
    assert_eq!(
        record.log.latest_version(job.value.id.into()).await.unwrap(),
        Version(1)
    );
    assert_eq!(
        record.log.latest_version(strange.into()).await.unwrap(),
        Version::NEW
    );
    assert_eq!(
        record
            .log
            .latest_version(photos[0].value.id.into())
            .await
            .unwrap(),
        Version(2)
    );
}

/// A guard alone refuses, on a stream that is missing too, and a commit of work alone can have one.
pub async fn a_guard_that_does_not_hold_refuses_the_commit<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let before = Everything::of(&record).await;
    let strange = given::job_id().into();
    let mut commit = given::commit(now);
    commit.write_command(&photo, PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: strange,
        version: Version(1),
    });
    let conflict = VersionConflict {
        stream: strange,
        expected: Version(1),
        actual: Version::NEW,
    };
    assert_eq!(conflicts(record.journal.commit(commit).await), [conflict]);

    let mut work = given::commit(now);
    work.work.push(given::schedule(
        &photo,
        rapidphoto_application::ports::WorkKind::Look,
        now,
    ));
    work.guards.push(Guard {
        stream: photo.value.id.into(),
        version: Version(2),
    });
    assert_eq!(conflicts(record.journal.commit(work).await).len(), 1);
    assert_eq!(Everything::of(&record).await, before);
}
