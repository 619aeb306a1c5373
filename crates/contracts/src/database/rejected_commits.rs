//! Rejected commits: nothing of them is written, whatever their parts and whichever of them is rejected.

use rapidphoto_application::ports::{
    Advance, Commit, CommitError, DatabasePorts, Details, Due, IdempotencyKey, InvalidCommit, NewEvent,
    PhotoMetadata, Unique, WorkKind, WorkOrder,
};
use rapidphoto_domain::{PhotoId, UserId, Version, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations::{self, Snapshot, conflicts, duplicate},
};

/// A valid commit, and the ids by which its parts could be found if any were written. Cases make one part invalid.
struct ValidCommit {
    commit: Commit,
    key: IdempotencyKey,
    owner: UserId,
    photo: PhotoId,
    existing: PhotoId,
}

/// A valid commit of all kinds of parts: a new job and photo, a change of an existing photo, work, filenames, metadata,
/// an account and an idempotency key.
async fn valid_commit(db: &DatabasePorts, harness: &impl DatabaseHarness) -> ValidCommit {
    let now = harness.now();
    let owner = fixtures::user(db, now).await;
    let existing = fixtures::photo(db, now, owner).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1);
    let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    commit.write_command(&existing, PhotoCommand::StartUpload);
    commit.write_user(&fixtures::email());
    commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
    commit.work.push(fixtures::schedule(&existing, WorkKind::Process));
    commit.details.push(Details::PhotoMetadata {
        photo: existing.value.id,
        metadata: Box::new(PhotoMetadata {
            software: Some("a program".to_owned()),
            ..PhotoMetadata::default()
        }),
    });
    let kept = fixtures::idempotency(owner, "key", now + fixtures::LEASE);
    commit.idempotency = Some(kept.clone());
    ValidCommit {
        commit,
        key: kept.key,
        owner,
        photo: photo.value.id,
        existing: existing.value.id,
    }
}

impl ValidCommit {
    /// Commits, expects an error and asserts that nothing was written.
    async fn expect_rejection(self, db: &DatabasePorts, harness: &impl DatabaseHarness) -> CommitError {
        let before = Snapshot::of(db).await;
        let rejected = db.journal.commit(self.commit.clone()).await.unwrap_err();
        assert_eq!(Snapshot::of(db).await, before, "after {rejected:?}");
        let now = harness.now();
        let kept = db
            .idempotency
            .idempotency(self.owner, &self.key, now)
            .await
            .unwrap();
        assert_eq!(kept, None, "after {rejected:?}");
        assert_eq!(db.photos.photo(self.owner, self.photo).await.unwrap(), None);
        let existing = db.photos.photo(self.owner, self.existing).await.unwrap().unwrap();
        assert_eq!(existing.metadata, PhotoMetadata::default(), "after {rejected:?}");
        for details in &self.commit.details {
            if let Details::User { email, user, .. } = details {
                let account = db.users.credentials(email).await.unwrap();
                assert!(account.is_none_or(|account| account.user != *user));
            }
        }
        rejected
    }
}

/// One version conflict among several streams rejects all of them.
pub async fn a_commit_with_one_version_conflict_writes_nothing<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let mut valid = valid_commit(&db, &harness).await;
    let stream = valid.existing.into();
    for change in &mut valid.commit.changes {
        if change.stream == stream {
            change.expected = Version(7);
        }
    }
    let rejected = valid.expect_rejection(&db, &harness).await;
    assert_eq!(conflicts(Err(rejected)).len(), 1);
}

/// A stale claim rejects everything done under it.
pub async fn a_commit_with_a_stale_claim_writes_nothing<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let now = harness.now();
    let other = fixtures::user(&db, now).await;
    let worked = fixtures::photo(&db, now, other).await;
    let claim = fixtures::claim_work(&db, now, &worked, WorkKind::Clean)
        .await
        .token;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
    for order in [
        WorkOrder::Finish { claim },
        WorkOrder::Postpone {
            claim,
            due: Due::Now,
            attempts: 1,
            claims: 1,
            keeps_due_time: false,
        },
    ] {
        let mut valid = valid_commit(&db, &harness).await;
        valid.commit.work.push(order);
        let rejected = valid.expect_rejection(&db, &harness).await;
        assert!(
            matches!(rejected, CommitError::StaleClaim { photo, kind: WorkKind::Clean } if photo == worked.value.id),
            "{rejected:?}"
        );
    }
}

/// A runner whose subscription was taken over writes nothing.
pub async fn a_commit_with_a_stale_checkpoint_writes_nothing<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let held = db
        .subscriptions
        .acquire("relay", fixtures::LEASE)
        .await
        .unwrap()
        .unwrap();
    let mut valid = valid_commit(&db, &harness).await;
    valid.commit.checkpoint = Some(Advance {
        name: held.name,
        from: held.cursor,
        to: observations::end(&db).await,
        token: held.token + 1,
    });
    let rejected = valid.expect_rejection(&db, &harness).await;
    assert!(matches!(rejected, CommitError::StaleCheckpoint), "{rejected:?}");
}

/// A duplicate idempotency key, upload id, e-mail address or event id rejects the whole commit.
pub async fn a_commit_with_a_duplicate_unique_value_writes_nothing<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let taken = fixtures::photo(&db, now, owner).await;

    let mut key = valid_commit(&db, &harness).await;
    let mut first = fixtures::commit(now);
    first.idempotency = Some(fixtures::idempotency(owner, "taken", now + fixtures::LEASE));
    commit_ok(&db, first.clone()).await;
    key.commit.idempotency = first.idempotency;
    let rejected = key.expect_rejection(&db, &harness).await;
    assert_eq!(duplicate(Err(rejected)), Unique::IdempotencyKey);

    let mut upload = valid_commit(&db, &harness).await;
    let mut declared = fixtures::declared_photo(now, owner, taken.value.job);
    declared.upload_id = taken.value.upload_id;
    upload.commit.write_photo(declared);
    let rejected = upload.expect_rejection(&db, &harness).await;
    assert!(matches!(duplicate(Err(rejected)), Unique::UploadId { .. }));

    let mut account = valid_commit(&db, &harness).await;
    let email = fixtures::email();
    let mut first = fixtures::commit(now);
    first.write_user(&email);
    commit_ok(&db, first).await;
    account.commit.write_user(&email);
    let rejected = account.expect_rejection(&db, &harness).await;
    assert_eq!(duplicate(Err(rejected)), Unique::Email);

    let mut event = valid_commit(&db, &harness).await;
    let stored = observations::log(&db).await[0].id;
    event.commit.changes[0].events[0].id = stored;
    let rejected = event.expect_rejection(&db, &harness).await;
    assert_eq!(duplicate(Err(rejected)), Unique::EventId(stored));
}

/// Errors are checked in this order: versions, claims, checkpoint, unique values. Errors that require a new decision
/// thereby precede those that the caller could correct.
pub async fn errors_are_reported_in_a_fixed_order<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let taken = fixtures::photo(&db, now, owner).await;
    let lease = db
        .subscriptions
        .acquire("relay", fixtures::LEASE)
        .await
        .unwrap()
        .unwrap();
    let stale = fixtures::claim_work(&db, now, &taken, WorkKind::Clean)
        .await
        .token;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: stale }]).await;

    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1);
    commit.changes[0].expected = Version(3);
    let mut declared = fixtures::declared_photo(now, owner, job.value.id);
    declared.upload_id = taken.value.upload_id;
    commit.write_photo(declared);
    commit.work.push(WorkOrder::Finish { claim: stale });
    commit.checkpoint = Some(Advance {
        name: lease.name,
        from: lease.cursor,
        to: lease.cursor,
        token: lease.token + 1,
    });
    let rejected = db.journal.commit(commit.clone()).await;
    assert_eq!(conflicts(rejected).len(), 1);
    commit.changes[0].expected = Version::NEW;
    let rejected = db.journal.commit(commit.clone()).await;
    assert!(
        matches!(rejected, Err(CommitError::StaleClaim { .. })),
        "{rejected:?}"
    );
    commit.work.clear();
    let rejected = db.journal.commit(commit.clone()).await;
    assert!(
        matches!(rejected, Err(CommitError::StaleCheckpoint)),
        "{rejected:?}"
    );
    commit.checkpoint = None;
    let rejected = db.journal.commit(commit).await;
    assert!(matches!(duplicate(rejected), Unique::UploadId { .. }));
}

/// The commit succeeds once its invalid part is corrected: the errors above have no other cause.
pub async fn a_rejected_commit_succeeds_once_corrected<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let valid = valid_commit(&db, &harness).await;
    let mut wrong = valid.commit.clone();
    wrong.changes[0].expected = Version(9);
    conflicts(db.journal.commit(wrong).await);
    let committed = commit_ok(&db, valid.commit).await;
    assert!(!committed.repeated);
}

/// A commit with more changes or events than the port allows is refused, and one at the bounds is written.
pub async fn a_commit_above_the_bounds_is_refused<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 1_000).await;
    let before = Snapshot::of(&db).await;
    let start_and_cancel = |count: usize| {
        let mut commit = fixtures::commit(now);
        for photo in &photos[..count] {
            commit.write_command(photo, PhotoCommand::StartUpload);
            let last = commit.changes.last_mut().unwrap();
            let events = last.events[0].clone();
            let more = |_| NewEvent {
                id: fixtures::event_id(),
                ..events.clone()
            };
            last.events.extend((0..2).map(more));
        }
        commit
    };
    let refused = db.journal.commit(start_and_cancel(668)).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Invalid(InvalidCommit::TooManyEvents(2_004)))
        ),
        "{refused:?}"
    );
    let mut wide = fixtures::commit(now);
    let job = wide.write_job(owner, 1_001);
    for _ in 0..1_001 {
        wide.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    }
    let refused = db.journal.commit(wide).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Invalid(InvalidCommit::TooManyChanges(1_002)))
        ),
        "{refused:?}"
    );
    assert_eq!(Snapshot::of(&db).await, before);
    commit_ok(&db, start_and_cancel(667)).await;
}
