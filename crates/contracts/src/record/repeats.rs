//! A commit tried again after an ambiguous answer: event ids tell whether it stands.

use std::time::Duration;

use rapidphoto_application::ports::{Cursor, Details, Guard, NewEvent, Unique, WorkKind, WorkOrder};
use rapidphoto_domain::{Version, photo::PhotoCommand, values::Filename};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen::{Everything, conflicts, duplicate},
};

/// Trying a commit that stands again is success, gives the same cursor and changes nothing at all.
pub async fn the_same_commit_again_is_success_and_changes_nothing<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 2);
    for _ in 0..2 {
        let photo = commit.write_photo(given::promise(now, owner, job.value.id));
        commit.work.push(given::schedule(&photo, WorkKind::Look, now));
    }
    commit.idempotency = Some(given::idempotency(owner, "k", now + Duration::from_mins(1)));
    let first = stands(&record, commit.clone()).await;
    assert!(!first.repeated);
    // Others write in between.
    given::photo(&record, now, owner).await;
    let before = Everything::of(&record).await;
    for _ in 0..3 {
        let again = stands(&record, commit.clone()).await;
        assert!(again.repeated);
        assert_eq!(again.cursor, first.cursor);
    }
    assert_eq!(Everything::of(&record).await, before);
}

/// It changes nothing even where the streams have gone on since.
pub async fn a_repeated_commit_takes_back_nothing_that_came_after_it<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut commit = given::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    stands(&record, commit.clone()).await;
    given::command(&record, now, &started, PhotoCommand::Cancel).await;
    let before = Everything::of(&record).await;
    assert!(stands(&record, commit).await.repeated);
    assert_eq!(Everything::of(&record).await, before);
}

/// Claims and orders of a commit that stands are not looked at again: the claim is used up by then.
pub async fn a_repeated_commit_leaves_work_and_claims_alone<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await;
    let mut commit = given::commit(now);
    commit.write_command(&photo, PhotoCommand::CompleteUpload);
    commit.work.push(WorkOrder::Finish { claim: claim.token });
    commit.work.push(given::schedule(&photo, WorkKind::Process, now));
    stands(&record, commit.clone()).await;
    let lease = Duration::from_mins(1);
    let processing = record.work.claim(&[WorkKind::Process], 1, lease).await.unwrap();
    let before = Everything::of(&record).await;
    assert!(stands(&record, commit).await.repeated);
    assert_eq!(Everything::of(&record).await, before);
    // The claim on what the commit scheduled holds as before.
    let mut finish = given::commit(now);
    finish.work.push(WorkOrder::Finish {
        claim: processing[0].token,
    });
    stands(&record, finish).await;
}

/// Event ids of which some are stored and some are not name no commit.
pub async fn some_but_not_all_event_ids_are_a_duplicate<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let other = given::photo(&record, now, owner).await;
    let mut commit = given::commit(now);
    commit.write_command(&photo, PhotoCommand::StartUpload);
    stands(&record, commit.clone()).await;
    let stored = commit.changes[0].events[0].id;
    commit.write_command(&other, PhotoCommand::StartUpload);
    let before = Everything::of(&record).await;
    assert_eq!(
        duplicate(record.journal.commit(commit).await),
        Unique::EventId(stored)
    );
    assert_eq!(Everything::of(&record).await, before);
}

/// An event id that is stored in another stream, or at another version, is a duplicate.
pub async fn an_event_id_stored_elsewhere_is_a_duplicate<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let other = given::photo(&record, now, owner).await;
    let mut first = given::commit(now);
    let started = first.write_command(&photo, PhotoCommand::StartUpload);
    let id = first.changes[0].events[0].id;
    stands(&record, first).await;
    let before = Everything::of(&record).await;

    let mut elsewhere = given::commit(now);
    elsewhere.write_command(&other, PhotoCommand::StartUpload);
    elsewhere.changes[0].events[0].id = id;
    assert_eq!(
        duplicate(record.journal.commit(elsewhere).await),
        Unique::EventId(id)
    );

    let mut later = given::commit(now);
    later.write_command(&started, PhotoCommand::CompleteUpload);
    later.changes[0].events[0].id = id;
    assert_eq!(duplicate(record.journal.commit(later).await), Unique::EventId(id));
    assert_eq!(Everything::of(&record).await, before);
}

/// The same event id twice in one commit is a duplicate.
pub async fn an_event_id_used_twice_in_one_commit_is_a_duplicate<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 2).await;
    let before = Everything::of(&record).await;
    let mut commit = given::commit(now);
    for photo in &photos {
        commit.write_command(photo, PhotoCommand::StartUpload);
    }
    let NewEvent { id, .. } = commit.changes[0].events[0];
    commit.changes[1].events[0].id = id;
    assert_eq!(
        duplicate(record.journal.commit(commit).await),
        Unique::EventId(id)
    );
    assert_eq!(Everything::of(&record).await, before);
}

/// Ids are looked at before versions: a repetition is no conflict, though all of its versions have passed.
pub async fn event_ids_are_judged_before_versions<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut commit = given::commit(now);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    stands(&record, commit.clone()).await;
    // One stored, one new, and versions that have passed: the ids say what is wrong.
    let fresh = NewEvent {
        id: given::event_id(),
        ..commit.changes[0].events[0].clone()
    };
    let stored = commit.changes[0].events[0].id;
    commit.changes[0].events.extend([fresh]);
    given::command(&record, now, &started, PhotoCommand::Cancel).await;
    assert_eq!(
        duplicate(record.journal.commit(commit).await),
        Unique::EventId(stored)
    );
}

/// A commit without events is never a repetition; its cursor is the log's end.
pub async fn a_commit_without_events_gives_the_logs_end<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let empty = stands(&record, given::commit(now)).await;
    assert_eq!((empty.cursor, empty.repeated), (Cursor::START, false));
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut commit = given::commit(now);
    commit.work.push(given::schedule(&photo, WorkKind::Look, now));
    for _ in 0..2 {
        let committed = stands(&record, commit.clone()).await;
        assert_eq!(committed.cursor, record.log.head().await.unwrap());
        assert!(!committed.repeated);
    }
}

/// A commit without changes, work, details, idempotency record and checkpoint succeeds, and changes nothing.
pub async fn an_empty_commit_changes_nothing<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    given::photo(&record, now, owner).await;
    let before = Everything::of(&record).await;
    let commit = given::commit(now);
    assert!(commit.is_empty());
    for _ in 0..2 {
        let committed = stands(&record, commit.clone()).await;
        assert_eq!(committed.cursor, record.log.head().await.unwrap());
        assert!(!committed.repeated);
    }
    assert_eq!(Everything::of(&record).await, before);
}

/// Details alone are no repetition: nothing names such a commit, so that it is written each time.
pub async fn a_commit_of_details_alone_is_written_each_time<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await.value.id;
    let head = record.log.head().await.unwrap();
    for name in ["first.jpg", "second.jpg", "first.jpg"] {
        let filename = Filename::parse(name).unwrap();
        let mut commit = given::commit(now);
        commit.details.push(Details::PhotoName {
            photo,
            filename: filename.clone(),
        });
        assert!(!commit.is_empty());
        let committed = stands(&record, commit).await;
        assert_eq!((committed.cursor, committed.repeated), (head, false));
        let view = record.photos.photo(owner, photo).await.unwrap().unwrap();
        assert_eq!(view.filename, filename);
    }
}

/// A guard is checked though the commit writes nothing.
pub async fn a_guard_without_anything_to_write_is_checked<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let guard = |version| {
        let mut commit = given::commit(now);
        commit.guards.push(Guard {
            stream: photo.value.id.into(),
            version,
        });
        commit
    };
    assert!(guard(photo.version).is_empty());
    assert!(!stands(&record, guard(photo.version)).await.repeated);
    let refused = record.journal.commit(guard(Version::NEW)).await;
    assert_eq!(conflicts(refused)[0].actual, photo.version);
}
