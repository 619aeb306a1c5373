//! Unique values: upload ids, e-mail addresses and idempotency keys.

use std::time::Duration;

use rapidphoto_application::ports::Unique;
use rapidphoto_domain::photo::PhotoCommand;

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations::{Snapshot, duplicate},
};

/// An upload id belongs to at most one photo of a user that is not deleted.
pub async fn an_upload_id_is_unique_among_a_users_photos<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let before = Snapshot::of(&db).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 2);
    commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    let mut second = fixtures::declared_photo(now, owner, job.value.id);
    second.upload_id = photo.value.upload_id;
    commit.write_photo(second);
    let taken = Unique::UploadId {
        owner,
        upload_id: photo.value.upload_id,
    };
    assert_eq!(duplicate(db.journal.commit(commit).await), taken);
    assert_eq!(Snapshot::of(&db).await, before);
}

/// Two photos of one commit can't have the same upload id.
pub async fn an_upload_id_used_twice_in_one_commit_is_a_duplicate<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let before = Snapshot::of(&db).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 2);
    let first = fixtures::declared_photo(now, owner, job.value.id);
    let mut second = fixtures::declared_photo(now, owner, job.value.id);
    second.upload_id = first.upload_id;
    let upload_id = first.upload_id;
    commit.write_photo(first);
    commit.write_photo(second);
    assert_eq!(
        duplicate(db.journal.commit(commit).await),
        Unique::UploadId { owner, upload_id }
    );
    assert_eq!(Snapshot::of(&db).await, before);
}

/// Upload ids are unique for each user only.
pub async fn two_users_can_use_the_same_upload_id<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (one, two) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let photo = fixtures::photo(&db, now, one).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(two, 1);
    let mut declared = fixtures::declared_photo(now, two, job.value.id);
    declared.upload_id = photo.value.upload_id;
    let theirs = commit.write_photo(declared);
    commit_ok(&db, commit).await;
    let found = db
        .photos
        .by_upload_ids(two, &[photo.value.upload_id])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].photo.id, theirs.value.id);
}

/// Cancelling a photo does not free its upload id, deleting does. The photo that reuses it can free it again.
pub async fn a_deleted_photo_frees_its_upload_id<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut photo = fixtures::photo(&db, now, owner).await;
    let upload_id = photo.value.upload_id;
    for _ in 0..3 {
        let mut again = fixtures::commit(now);
        let job = again.write_job(owner, 1);
        let mut declared = fixtures::declared_photo(now, owner, job.value.id);
        declared.upload_id = upload_id;
        let successor = again.write_photo(declared);

        let cancelled = fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
        let rejected = db.journal.commit(again.clone()).await;
        assert_eq!(duplicate(rejected), Unique::UploadId { owner, upload_id });
        fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
        commit_ok(&db, again).await;
        photo = successor;
    }
}

/// An e-mail address has one account.
pub async fn an_email_address_is_unique<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let email = fixtures::email();
    let mut first = fixtures::commit(now);
    let user = first.write_user(&email);
    commit_ok(&db, first).await;
    let before = Snapshot::of(&db).await;
    let mut second = fixtures::commit(now);
    second.write_user(&email);
    assert_eq!(duplicate(db.journal.commit(second).await), Unique::Email);
    assert_eq!(Snapshot::of(&db).await, before);
    let credentials = db.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!(credentials.user, user.value.id);
    assert_eq!(credentials.password_hash, fixtures::password_hash(user.value.id));
}

/// A key can't be reused until its record expires; from then on it can.
pub async fn an_expired_idempotency_key_can_be_reused<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (second, expiry) = (Duration::from_millis(1), now + Duration::from_mins(1));
    let mut first = fixtures::commit(now);
    first.idempotency = Some(fixtures::idempotency(owner, "key", expiry));
    commit_ok(&db, first).await;

    let successor = fixtures::idempotency(owner, "key", expiry + Duration::from_mins(1));
    let mut early = fixtures::commit(expiry - second);
    early.write_job(owner, 1);
    early.idempotency = Some(successor.clone());
    let before = Snapshot::of(&db).await;
    assert_eq!(duplicate(db.journal.commit(early).await), Unique::IdempotencyKey);
    assert_eq!(Snapshot::of(&db).await, before);

    let mut late = fixtures::commit(expiry);
    late.idempotency = Some(successor.clone());
    commit_ok(&db, late).await;
    let kept = db
        .idempotency
        .idempotency(owner, &successor.key, expiry)
        .await
        .unwrap();
    assert_eq!(kept, Some(successor));
}

/// Idempotency keys are unique for each user only.
pub async fn two_users_can_use_the_same_idempotency_key<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    for _ in 0..2 {
        let owner = fixtures::user(&db, now).await;
        let mut commit = fixtures::commit(now);
        let wanted = fixtures::idempotency(owner, "the same", now + Duration::from_mins(1));
        commit.idempotency = Some(wanted.clone());
        commit_ok(&db, commit).await;
        let kept = db.idempotency.idempotency(owner, &wanted.key, now).await.unwrap();
        assert_eq!(kept, Some(wanted));
    }
}

/// Versions are checked before unique values: a version conflict is reported whatever else is wrong.
pub async fn versions_are_checked_before_unique_values<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::execute(&db, now, &photo, PhotoCommand::StartUpload).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::Cancel);
    let job = commit.write_job(owner, 1);
    let mut declared = fixtures::declared_photo(now, owner, job.value.id);
    declared.upload_id = photo.value.upload_id;
    commit.write_photo(declared);
    assert_eq!(
        super::observations::conflicts(db.journal.commit(commit).await).len(),
        1
    );
}
