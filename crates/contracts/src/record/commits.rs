//! A commit is written whole or not at all, whatever it holds and whichever part of it is refused.

use std::time::Duration;

use rapidphoto_application::ports::{
    Advance, CommitError, Cursor, DatabasePorts, Details, EventMetadata, PhotoMetadata, Unique, WorkKind,
    WorkOrder,
};
use rapidphoto_domain::{Version, photo::PhotoCommand, values::Filename};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen::{self, Everything, conflicts, duplicate},
};

/// Events, states, work, details, idempotency record and checkpoint of several streams arrive together.
pub async fn everything_of_a_commit_is_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let held = record
        .subscriptions
        .acquire("job-completion", given::LEASE)
        .await
        .unwrap()
        .unwrap();
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 2);
    let photos: Vec<_> = (0..2)
        .map(|_| commit.write_photo(given::promise(now, owner, job.value.id)))
        .collect();
    for photo in &photos {
        commit.work.push(given::schedule(photo, WorkKind::Look, now));
    }
    let kept = given::idempotency(owner, "key", now + given::LEASE);
    commit.idempotency = Some(kept.clone());
    let to = record.log.head().await.unwrap();
    commit.checkpoint = Some(Advance {
        name: held.name,
        from: held.cursor,
        to,
        token: held.token,
    });
    let committed = stands(&record, commit).await;

    assert_eq!(record.log.head().await.unwrap(), committed.cursor);
    let events = seen::log(&record).await;
    assert_eq!(events.len(), 1 + 3);
    assert_eq!(events.last().unwrap().cursor, committed.cursor);
    assert_eq!(
        record.aggregates.job(job.value.id).await.unwrap(),
        Some(job.clone())
    );
    for photo in &photos {
        let view = record.photos.photo(owner, photo.value.id).await.unwrap().unwrap();
        assert_eq!((&view.photo, &view.filename), (&photo.value, &given::filename()));
    }
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 2);
    let read = record
        .idempotency
        .idempotency(owner, &kept.key, now)
        .await
        .unwrap();
    assert_eq!(read, Some(kept));
    record.subscriptions.release(&held).await.unwrap();
    let next = record
        .subscriptions
        .acquire(held.name, given::LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.cursor, to);
}

/// A commit in which everything is right but one thing, and what a record that wrote any of it would show.
struct Attempt {
    commit: rapidphoto_application::ports::Commit,
    key: rapidphoto_application::ports::IdempotencyKey,
    owner: rapidphoto_domain::UserId,
    photo: rapidphoto_domain::PhotoId,
    existing: rapidphoto_domain::PhotoId,
}

/// A commit of every kind of part that stands: a new job and photo, a step of an existing one, work, names, metadata,
/// an account, a key.
async fn attempt(record: &DatabasePorts, harness: &impl RecordHarness) -> Attempt {
    let now = harness.now();
    let owner = given::user(record, now).await;
    let existing = given::photo(record, now, owner).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 1);
    let photo = commit.write_photo(given::promise(now, owner, job.value.id));
    commit.write_command(&existing, PhotoCommand::StartUpload);
    commit.write_user(&given::email());
    commit.work.push(given::schedule(&photo, WorkKind::Look, now));
    commit
        .work
        .push(given::schedule(&existing, WorkKind::Process, now));
    commit.details.push(Details::PhotoMetadata {
        photo: existing.value.id,
        metadata: Box::new(PhotoMetadata {
            software: Some("a program".to_owned()),
            ..PhotoMetadata::default()
        }),
    });
    let kept = given::idempotency(owner, "key", now + given::LEASE);
    commit.idempotency = Some(kept.clone());
    Attempt {
        commit,
        key: kept.key,
        owner,
        photo: photo.value.id,
        existing: existing.value.id,
    }
}

impl Attempt {
    /// Tries the commit, which must be refused, and finds nothing of it.
    async fn try_in_vain(self, record: &DatabasePorts, harness: &impl RecordHarness) -> CommitError {
        let before = Everything::of(record).await;
        let refused = record.journal.commit(self.commit.clone()).await.unwrap_err();
        assert_eq!(Everything::of(record).await, before, "after {refused:?}");
        let now = harness.now();
        let kept = record
            .idempotency
            .idempotency(self.owner, &self.key, now)
            .await
            .unwrap();
        assert_eq!(kept, None, "after {refused:?}");
        assert_eq!(record.photos.photo(self.owner, self.photo).await.unwrap(), None);
        let existing = record
            .photos
            .photo(self.owner, self.existing)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(existing.metadata, PhotoMetadata::default(), "after {refused:?}");
        for details in &self.commit.details {
            if let Details::User { email, user, .. } = details {
                let account = record.users.credentials(email).await.unwrap();
                assert!(account.is_none_or(|account| account.user != *user));
            }
        }
        refused
    }
}

/// One stream that moved among several refuses all of them.
pub async fn a_batch_with_one_bad_expected_version_writes_nothing<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let mut attempt = attempt(&record, &harness).await;
    let stream = attempt.existing.into();
    for change in &mut attempt.commit.changes {
        if change.stream == stream {
            change.expected = Version(7);
        }
    }
    let refused = attempt.try_in_vain(&record, &harness).await;
    assert_eq!(conflicts(Err(refused)).len(), 1);
}

/// A claim that is no longer held refuses all that was done under it.
pub async fn a_commit_with_a_stale_claim_writes_nothing<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let now = harness.now();
    let other = given::user(&record, now).await;
    let worked = given::photo(&record, now, other).await;
    let claim = given::claimed(&record, now, &worked, WorkKind::Clean).await.token;
    given::ordered(&record, now, [WorkOrder::Finish { claim }]).await;
    for order in [
        WorkOrder::Finish { claim },
        WorkOrder::Postpone {
            claim,
            due_at: now,
            attempts: 1,
            claims: 1,
        },
    ] {
        let mut attempt = attempt(&record, &harness).await;
        attempt.commit.work.push(order);
        let refused = attempt.try_in_vain(&record, &harness).await;
        assert!(
            matches!(refused, CommitError::StaleClaim { photo, kind: WorkKind::Clean } if photo == worked.value.id),
            "{refused:?}"
        );
    }
}

/// A subscription's runner that was overtaken writes nothing.
pub async fn a_commit_with_a_stale_checkpoint_writes_nothing<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let held = record
        .subscriptions
        .acquire("relay", given::LEASE)
        .await
        .unwrap()
        .unwrap();
    let mut attempt = attempt(&record, &harness).await;
    attempt.commit.checkpoint = Some(Advance {
        name: held.name,
        from: held.cursor,
        to: record.log.head().await.unwrap(),
        token: held.token + 1,
    });
    let refused = attempt.try_in_vain(&record, &harness).await;
    assert!(matches!(refused, CommitError::StaleCheckpoint), "{refused:?}");
}

/// Neither does a commit whose idempotency key, upload id, e-mail address or event id is taken.
pub async fn a_commit_with_a_taken_name_writes_nothing<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let taken = given::photo(&record, now, owner).await;

    let mut key = attempt(&record, &harness).await;
    let mut first = given::commit(now);
    first.idempotency = Some(given::idempotency(owner, "taken", now + given::LEASE));
    stands(&record, first.clone()).await;
    key.commit.idempotency = first.idempotency;
    let refused = key.try_in_vain(&record, &harness).await;
    assert_eq!(duplicate(Err(refused)), Unique::IdempotencyKey);

    let mut upload = attempt(&record, &harness).await;
    let mut promised = given::promise(now, owner, taken.value.job);
    promised.upload_id = taken.value.upload_id;
    upload.commit.write_photo(promised);
    let refused = upload.try_in_vain(&record, &harness).await;
    assert!(matches!(duplicate(Err(refused)), Unique::UploadId { .. }));

    let mut account = attempt(&record, &harness).await;
    let email = given::email();
    let mut first = given::commit(now);
    first.write_user(&email);
    stands(&record, first).await;
    account.commit.write_user(&email);
    let refused = account.try_in_vain(&record, &harness).await;
    assert_eq!(duplicate(Err(refused)), Unique::Email);

    let mut event = attempt(&record, &harness).await;
    let stored = seen::log(&record).await[0].id;
    event.commit.changes[0].events[0].id = stored;
    let refused = event.try_in_vain(&record, &harness).await;
    assert_eq!(duplicate(Err(refused)), Unique::EventId(stored));
}

/// Of a commit that is wrong in every way, versions are told first, then the claim, then the position, then names: what
/// sends the caller back to the beginning before what it could mend.
pub async fn what_is_wrong_is_told_in_one_order<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let taken = given::photo(&record, now, owner).await;
    let lease = record
        .subscriptions
        .acquire("relay", given::LEASE)
        .await
        .unwrap()
        .unwrap();
    let stale = given::claimed(&record, now, &taken, WorkKind::Clean).await.token;
    given::ordered(&record, now, [WorkOrder::Finish { claim: stale }]).await;

    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 1);
    commit.changes[0].expected = Version(3);
    let mut promised = given::promise(now, owner, job.value.id);
    promised.upload_id = taken.value.upload_id;
    commit.write_photo(promised);
    commit.work.push(WorkOrder::Finish { claim: stale });
    commit.checkpoint = Some(Advance {
        name: lease.name,
        from: lease.cursor,
        to: lease.cursor,
        token: lease.token + 1,
    });
    let refused = record.journal.commit(commit.clone()).await;
    assert_eq!(conflicts(refused).len(), 1);
    commit.changes[0].expected = Version::NEW;
    let refused = record.journal.commit(commit.clone()).await;
    assert!(
        matches!(refused, Err(CommitError::StaleClaim { .. })),
        "{refused:?}"
    );
    commit.work.clear();
    let refused = record.journal.commit(commit.clone()).await;
    assert!(
        matches!(refused, Err(CommitError::StaleCheckpoint)),
        "{refused:?}"
    );
    commit.checkpoint = None;
    let refused = record.journal.commit(commit).await;
    assert!(matches!(duplicate(refused), Unique::UploadId { .. }));
}

/// The same commit stands once the one wrong thing is right: the refusals above have no other cause.
pub async fn a_commit_that_was_refused_stands_once_it_is_right<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let attempt = attempt(&record, &harness).await;
    let mut wrong = attempt.commit.clone();
    wrong.changes[0].expected = Version(9);
    conflicts(record.journal.commit(wrong).await);
    let committed = stands(&record, attempt.commit).await;
    assert!(!committed.repeated);
}

/// As many photos as one request may bring go in together.
pub async fn a_thousand_photos_are_one_commit<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 1000);
    let mut kept = given::idempotency(owner, "key", now + given::LEASE);
    kept.photos.clear();
    for _ in 0..1000 {
        let photo = commit.write_photo(given::promise(now, owner, job.value.id));
        commit.work.push(given::schedule(&photo, WorkKind::Look, now));
        kept.photos.push(photo.value.id);
    }
    commit.idempotency = Some(kept.clone());
    let committed = stands(&record, commit.clone()).await;
    assert_eq!(seen::log(&record).await.len(), 1002);
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 1000);
    let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    let ids: Vec<_> = view.photos.iter().map(|view| view.photo.id).collect();
    assert_eq!(ids, kept.photos);
    assert_eq!(
        record.photos.by_ids(owner, &kept.photos).await.unwrap().len(),
        1000
    );
    let again = stands(&record, commit).await;
    assert_eq!((again.cursor, again.repeated), (committed.cursor, true));
    let read = record
        .idempotency
        .idempotency(owner, &kept.key, now)
        .await
        .unwrap();
    assert_eq!(read, Some(kept));
}

/// What a record answered is there after its process ended, to the millisecond and to the last bit.
pub async fn what_was_committed_outlives_the_process<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut commit = given::commit(now + Duration::from_millis(7));
    commit.metadata = EventMetadata {
        correlation_id: Some("first".to_owned()),
        ..EventMetadata::default()
    };
    let job = commit.write_job(owner, 1);
    let photo = commit.write_photo(given::promise(now, owner, job.value.id));
    commit.work.push(given::schedule(&photo, WorkKind::Look, now));
    stands(&record, commit).await;
    let claim = record
        .work
        .claim(&[WorkKind::Look], 1, given::LEASE)
        .await
        .unwrap();
    let before = (
        Everything::of(&record).await,
        record.jobs.job(owner, job.value.id).await.unwrap(),
    );
    drop(record);

    let harness = harness.reopened().await;
    let record = harness.record();
    let after = (
        Everything::of(&record).await,
        record.jobs.job(owner, job.value.id).await.unwrap(),
    );
    assert_eq!(after, before);
    assert_ne!(record.log.head().await.unwrap(), Cursor::START);
    // Claims are part of the record: a worker that outlived it goes on, and a new claim is told from an old one.
    let claim = claim[0].token;
    given::ordered(&record, now, [WorkOrder::Finish { claim }]).await;
    let next = given::claimed(&record, now, &photo, WorkKind::Look).await;
    assert!(next.token.token > claim.token);
}

/// Filenames and EXIF live beside the log, and go with the photo; the account's do not.
pub async fn details_are_replaced_and_erased<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let id = photo.value.id;
    let view = || async { record.photos.photo(owner, id).await.unwrap().unwrap() };
    assert_eq!(view().await.metadata, PhotoMetadata::default());
    let metadata = given::metadata();
    let renamed = Filename::parse("renamed.jpg").unwrap();
    let mut commit = given::commit(now);
    commit.details.push(Details::PhotoName {
        photo: id,
        filename: renamed.clone(),
    });
    commit.details.push(Details::PhotoMetadata {
        photo: id,
        metadata: Box::new(metadata.clone()),
    });
    stands(&record, commit).await;
    assert_eq!(
        (view().await.filename, view().await.metadata),
        (renamed, metadata)
    );

    let mut fewer = given::commit(now);
    fewer.details.push(Details::PhotoMetadata {
        photo: id,
        metadata: Box::default(),
    });
    stands(&record, fewer).await;
    assert_eq!(view().await.metadata, PhotoMetadata::default());

    // What is erased is gone, not hidden: nothing of it comes back with a new name.
    for details in [
        Details::PhotoMetadata {
            photo: id,
            metadata: Box::new(given::metadata()),
        },
        Details::ErasePhoto { photo: id },
        Details::PhotoName {
            photo: id,
            filename: given::filename(),
        },
    ] {
        let mut commit = given::commit(now);
        commit.details.push(details);
        stands(&record, commit).await;
    }
    assert_eq!(
        (view().await.filename, view().await.metadata),
        (given::filename(), PhotoMetadata::default())
    );

    let cancelled = given::command(&record, now, &photo, PhotoCommand::Cancel).await;
    given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(record.photos.photo(owner, id).await.unwrap(), None);
    let loaded = record.aggregates.photo(id).await.unwrap().unwrap();
    assert!(loaded.value.deleted, "decisions still see it");
}
