//! Expected versions and guards: no commit is based on outdated state.

use rapidphoto_application::ports::{CommitError, Guard, InvalidCommit, VersionConflict};
use rapidphoto_domain::{Version, job::JobEvent, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations::{Snapshot, conflicts},
};

/// A stream that does not exist has version 0.
pub async fn a_stream_starts_at_version_zero<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let unknown = fixtures::photo_id().into();
    assert_eq!(db.log.latest_version(unknown).await.unwrap(), Version::NEW);
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    assert_eq!(
        db.log.latest_version(photo.value.id.into()).await.unwrap(),
        Version(1)
    );
    assert_eq!(db.log.latest_version(unknown).await.unwrap(), Version::NEW);
}

/// Each event increments the version by one, also several in one commit.
pub async fn every_event_increments_its_streams_version<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut commit = fixtures::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    let mut finished = fixtures::commit(now);
    let after = finished.write_command(&started, PhotoCommand::CompleteUpload);
    // Both commands as one change.
    let second = finished.changes.remove(0);
    commit.changes[0].events.extend(second.events);
    commit.changes[0].state = second.state;
    commit_ok(&db, commit).await;
    let stream = photo.value.id.into();
    assert_eq!(db.log.latest_version(stream).await.unwrap(), Version(3));
    let versions: Vec<_> = db.log.events(stream, Version::NEW).await.unwrap();
    assert_eq!(
        versions.iter().map(|event| event.version.0).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let loaded = db.aggregates.photo(photo.value.id).await.unwrap().unwrap();
    assert_eq!((loaded.version, loaded.value), (Version(3), after.value));
}

/// A lower or higher version than the current one is a conflict.
pub async fn a_lower_or_higher_expected_version_is_a_conflict<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let current = fixtures::execute(&db, now, &photo, PhotoCommand::StartUpload).await;
    let before = Snapshot::of(&db).await;
    for expected in [0, 1, 3, 100].map(Version) {
        let mut commit = fixtures::commit(now);
        commit.write_command(&current, PhotoCommand::CompleteUpload);
        commit.changes[0].expected = expected;
        let conflict = VersionConflict {
            stream: photo.value.id.into(),
            expected,
            actual: Version(2),
        };
        assert_eq!(conflicts(db.journal.commit(commit).await), [conflict]);
    }
    assert_eq!(Snapshot::of(&db).await, before);
}

/// A conflict lists all changed streams and guards, not only the first.
pub async fn a_conflict_lists_every_changed_stream_and_guard<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 4).await;
    for photo in &photos[..2] {
        fixtures::execute(&db, now, photo, PhotoCommand::StartUpload).await;
    }
    let mut job_change = fixtures::commit(now);
    job_change.write_job_event(&job, JobEvent::UploadJobCancelled {});
    commit_ok(&db, job_change).await;

    let mut commit = fixtures::commit(now);
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
    assert_eq!(conflicts(db.journal.commit(commit).await), expected);
}

/// A satisfied guard does not change its stream, and it can require that a stream does not exist.
pub async fn a_satisfied_guard_changes_nothing<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 1).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photos[0], PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: job.value.id.into(),
        version: Version(1),
    });
    commit_ok(&db, commit).await;
    assert_eq!(
        db.log.latest_version(job.value.id.into()).await.unwrap(),
        Version(1)
    );
    assert_eq!(
        db.log.latest_version(photos[0].value.id.into()).await.unwrap(),
        Version(2)
    );
}

/// An unsatisfied guard rejects the commit, also on a missing stream and in a commit of work only.
pub async fn an_unsatisfied_guard_is_a_conflict<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let before = Snapshot::of(&db).await;
    let unknown = fixtures::job_id().into();
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: unknown,
        version: Version(1),
    });
    let conflict = VersionConflict {
        stream: unknown,
        expected: Version(1),
        actual: Version::NEW,
    };
    assert_eq!(conflicts(db.journal.commit(commit).await), [conflict]);

    let mut work = fixtures::commit(now);
    work.work.push(fixtures::schedule(
        &photo,
        rapidphoto_application::ports::WorkKind::Look,
    ));
    work.guards.push(Guard {
        stream: photo.value.id.into(),
        version: Version(2),
    });
    assert_eq!(conflicts(db.journal.commit(work).await).len(), 1);
    assert_eq!(Snapshot::of(&db).await, before);
}

/// A guard at version 0 is refused: a stream without events has no row that a database could lock.
pub async fn a_guard_of_a_new_stream_is_refused<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let before = Snapshot::of(&db).await;
    let unknown = fixtures::job_id().into();
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: unknown,
        version: Version::NEW,
    });
    let refused = db.journal.commit(commit).await;
    assert!(
        matches!(refused, Err(CommitError::Invalid(InvalidCommit::GuardOfNewStream(stream))) if stream == unknown),
        "{refused:?}"
    );
    assert_eq!(Snapshot::of(&db).await, before);
}
