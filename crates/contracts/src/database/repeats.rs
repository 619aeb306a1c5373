//! Repeated commits, as sent after an ambiguous outcome: event ids tell if the commit was written.

use std::time::Duration;

use rapidphoto_application::ports::{Details, EventFilter, Guard, NewEvent, Unique, WorkKind, WorkOrder};
use rapidphoto_domain::{photo::PhotoCommand, values::Filename};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations::{self, Snapshot, conflicts, duplicate},
};

/// Repeating a written commit succeeds, returns the same cursor and changes nothing.
pub async fn repeating_a_commit_succeeds_and_changes_nothing<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 2);
    for _ in 0..2 {
        let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
        commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
    }
    commit.idempotency = Some(fixtures::idempotency(owner, "k", now + Duration::from_mins(1)));
    let first = commit_ok(&db, commit.clone()).await;
    assert!(!first.repeated);
    // Another commit is written in between.
    fixtures::photo(&db, now, owner).await;
    let before = Snapshot::of(&db).await;
    for _ in 0..3 {
        let again = commit_ok(&db, commit.clone()).await;
        assert!(again.repeated);
        assert_eq!(again.cursor, first.cursor);
    }
    assert_eq!(Snapshot::of(&db).await, before);
}

/// A repeated commit changes nothing even if its streams have later events.
pub async fn a_repeated_commit_keeps_later_changes<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut commit = fixtures::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    commit_ok(&db, commit.clone()).await;
    fixtures::execute(&db, now, &started, PhotoCommand::Cancel).await;
    let before = Snapshot::of(&db).await;
    assert!(commit_ok(&db, commit).await.repeated);
    assert_eq!(Snapshot::of(&db).await, before);
}

/// A repetition is told by the versions of its own events, whatever happened to the streams that it guards.
pub async fn a_commit_whose_guard_has_moved_since_is_still_repeated<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photos[0], PhotoCommand::StartUpload);
    commit.guards.push(Guard {
        stream: photos[1].value.id.into(),
        version: photos[1].version,
    });
    commit_ok(&db, commit.clone()).await;
    fixtures::execute(&db, now, &photos[1], PhotoCommand::Cancel).await;
    let before = Snapshot::of(&db).await;
    assert!(commit_ok(&db, commit).await.repeated);
    assert_eq!(Snapshot::of(&db).await, before);
}

/// Claims and work orders of a written commit are neither checked nor applied again; its claim is no longer valid by
/// then.
pub async fn a_repeated_commit_does_not_change_work_or_claims<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::CompleteUpload);
    commit.work.push(WorkOrder::Finish { claim: claim.token });
    commit.work.push(fixtures::schedule(&photo, WorkKind::Process));
    commit_ok(&db, commit.clone()).await;
    let lease = Duration::from_mins(1);
    let processing = db.work.claim(&[WorkKind::Process], 1, lease).await.unwrap();
    let before = Snapshot::of(&db).await;
    assert!(commit_ok(&db, commit).await.repeated);
    assert_eq!(Snapshot::of(&db).await, before);
    // The claim on the work scheduled by the commit is still valid.
    let mut finish = fixtures::commit(now);
    finish.work.push(WorkOrder::Finish {
        claim: processing[0].token,
    });
    commit_ok(&db, finish).await;
}

/// A commit of which only some event ids are stored is no repetition.
pub async fn partially_stored_event_ids_are_a_duplicate<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let other = fixtures::photo(&db, now, owner).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::StartUpload);
    commit_ok(&db, commit.clone()).await;
    let stored = commit.changes[0].events[0].id;
    commit.write_command(&other, PhotoCommand::StartUpload);
    let before = Snapshot::of(&db).await;
    assert_eq!(
        duplicate(db.journal.commit(commit).await),
        Unique::EventId(stored)
    );
    assert_eq!(Snapshot::of(&db).await, before);
}

/// An event id stored in another stream or at another version is a duplicate.
pub async fn an_event_id_of_another_stream_or_version_is_a_duplicate<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let other = fixtures::photo(&db, now, owner).await;
    let mut first = fixtures::commit(now);
    let started = first.write_command(&photo, PhotoCommand::StartUpload);
    let id = first.changes[0].events[0].id;
    commit_ok(&db, first).await;
    let before = Snapshot::of(&db).await;

    let mut elsewhere = fixtures::commit(now);
    elsewhere.write_command(&other, PhotoCommand::StartUpload);
    elsewhere.changes[0].events[0].id = id;
    assert_eq!(duplicate(db.journal.commit(elsewhere).await), Unique::EventId(id));

    let mut later = fixtures::commit(now);
    later.write_command(&started, PhotoCommand::CompleteUpload);
    later.changes[0].events[0].id = id;
    assert_eq!(duplicate(db.journal.commit(later).await), Unique::EventId(id));
    assert_eq!(Snapshot::of(&db).await, before);
}

/// The same event id twice in one commit is a duplicate.
pub async fn an_event_id_used_twice_in_one_commit_is_a_duplicate<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let before = Snapshot::of(&db).await;
    let mut commit = fixtures::commit(now);
    for photo in &photos {
        commit.write_command(photo, PhotoCommand::StartUpload);
    }
    let NewEvent { id, .. } = commit.changes[0].events[0];
    commit.changes[1].events[0].id = id;
    assert_eq!(duplicate(db.journal.commit(commit).await), Unique::EventId(id));
    assert_eq!(Snapshot::of(&db).await, before);
}

/// Event ids are checked before versions: a repetition is not a version conflict, though all of its versions are
/// outdated.
pub async fn event_ids_are_checked_before_versions<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut commit = fixtures::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    commit_ok(&db, commit.clone()).await;
    // One stored id, one new id and outdated versions: the stored id is reported.
    let fresh = NewEvent {
        id: fixtures::event_id(),
        ..commit.changes[0].events[0].clone()
    };
    let stored = commit.changes[0].events[0].id;
    commit.changes[0].events.extend([fresh]);
    fixtures::execute(&db, now, &started, PhotoCommand::Cancel).await;
    assert_eq!(
        duplicate(db.journal.commit(commit).await),
        Unique::EventId(stored)
    );
}

/// A commit without events is never a repetition; its cursor is the log's head.
pub async fn a_commit_without_events_returns_the_logs_head<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let empty = commit_ok(&db, fixtures::commit(now)).await;
    // In an adapter without overlapping commits, the end of an empty log is its start.
    assert!(empty.cursor <= observations::end(&db).await && !empty.repeated);
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut commit = fixtures::commit(now);
    commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
    for _ in 0..2 {
        let committed = commit_ok(&db, commit.clone()).await;
        assert!(committed.cursor <= observations::end(&db).await);
        assert!(!committed.repeated);
    }
}

/// A commit without changes, work, details, idempotency record and checkpoint succeeds and changes nothing.
pub async fn an_empty_commit_changes_nothing<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    fixtures::photo(&db, now, owner).await;
    let before = Snapshot::of(&db).await;
    let commit = fixtures::commit(now);
    assert!(commit.is_empty());
    for _ in 0..2 {
        let committed = commit_ok(&db, commit.clone()).await;
        assert!(committed.cursor <= observations::end(&db).await);
        assert!(!committed.repeated);
    }
    assert_eq!(Snapshot::of(&db).await, before);
}

/// A commit with only details has no ids by which a repetition could be recognised, so that it is written each time.
pub async fn a_commit_with_only_details_is_written_each_time<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await.value.id;
    let end = observations::end(&db).await;
    for name in ["first.jpg", "second.jpg", "first.jpg"] {
        let filename = Filename::parse(name).unwrap();
        let mut commit = fixtures::commit(now);
        commit.details.push(Details::PhotoName {
            photo,
            filename: filename.clone(),
        });
        assert!(!commit.is_empty());
        let committed = commit_ok(&db, commit).await;
        assert!(!committed.repeated);
        let later = observations::events_from(&db, end, &EventFilter::default(), 10).await;
        assert_eq!(later, [], "the commit has no events");
        let view = db.photos.photo(owner, photo).await.unwrap().unwrap();
        assert_eq!(view.filename, filename);
    }
}

/// A guard is checked even if the commit writes nothing.
pub async fn the_guard_of_an_empty_commit_is_checked<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let guard = |version| {
        let mut commit = fixtures::commit(now);
        commit.guards.push(Guard {
            stream: photo.value.id.into(),
            version,
        });
        commit
    };
    assert!(guard(photo.version).is_empty());
    assert!(!commit_ok(&db, guard(photo.version)).await.repeated);
    let rejected = db.journal.commit(guard(photo.version.plus(1))).await;
    assert_eq!(conflicts(rejected)[0].actual, photo.version);
}
