//! Names of which there can be only one.

use std::time::Duration;

use rapidphoto_application::ports::Unique;
use rapidphoto_domain::photo::PhotoCommand;

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen::{Everything, duplicate},
};

/// A user's upload id names one photo that is not deleted.
pub async fn an_upload_id_names_one_photo_of_a_user<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let before = Everything::of(&record).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 2);
    commit.write_photo(given::promise(now, owner, job.value.id));
    let mut second = given::promise(now, owner, job.value.id);
    second.upload_id = photo.value.upload_id;
    commit.write_photo(second);
    let taken = Unique::UploadId {
        owner,
        upload_id: photo.value.upload_id,
    };
    assert_eq!(duplicate(record.journal.commit(commit).await), taken);
    assert_eq!(Everything::of(&record).await, before);
}

/// Two photos of one commit can't share one either.
pub async fn an_upload_id_can_not_come_twice_in_one_commit<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let before = Everything::of(&record).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 2);
    let first = given::promise(now, owner, job.value.id);
    let mut second = given::promise(now, owner, job.value.id);
    second.upload_id = first.upload_id;
    let upload_id = first.upload_id;
    commit.write_photo(first);
    commit.write_photo(second);
    assert_eq!(
        duplicate(record.journal.commit(commit).await),
        Unique::UploadId { owner, upload_id }
    );
    assert_eq!(Everything::of(&record).await, before);
}

/// Users choose their upload ids without knowing of each other.
pub async fn two_users_can_use_one_upload_id<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (one, two) = (given::user(&record, now).await, given::user(&record, now).await);
    let photo = given::photo(&record, now, one).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(two, 1);
    let mut promised = given::promise(now, two, job.value.id);
    promised.upload_id = photo.value.upload_id;
    let theirs = commit.write_photo(promised);
    stands(&record, commit).await;
    let found = record
        .photos
        .by_upload_ids(two, &[photo.value.upload_id])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].photo.id, theirs.value.id);
}

/// Cancelling keeps the name, deleting frees it, and the photo that takes it can lose it again.
pub async fn a_deleted_photo_frees_its_upload_id<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut photo = given::photo(&record, now, owner).await;
    let upload_id = photo.value.upload_id;
    for _ in 0..3 {
        let mut again = given::commit(now);
        let job = again.write_job(owner, 1);
        let mut promised = given::promise(now, owner, job.value.id);
        promised.upload_id = upload_id;
        let successor = again.write_photo(promised);

        let cancelled = given::command(&record, now, &photo, PhotoCommand::Cancel).await;
        let refused = record.journal.commit(again.clone()).await;
        assert_eq!(duplicate(refused), Unique::UploadId { owner, upload_id });
        given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
        stands(&record, again).await;
        photo = successor;
    }
}

/// An address has one account.
pub async fn an_email_has_one_account<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let email = given::email();
    let mut first = given::commit(now);
    let user = first.write_user(&email);
    stands(&record, first).await;
    let before = Everything::of(&record).await;
    let mut second = given::commit(now);
    second.write_user(&email);
    assert_eq!(duplicate(record.journal.commit(second).await), Unique::Email);
    assert_eq!(Everything::of(&record).await, before);
    let credentials = record.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!(credentials.user, user.value.id);
    assert_eq!(credentials.password_hash, given::password_hash(user.value.id));
}

/// A key names one request of a user while it is kept; the moment it expires at, it is free.
pub async fn an_idempotency_key_is_free_once_it_has_expired<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (second, expiry) = (Duration::from_millis(1), now + Duration::from_mins(1));
    let mut first = given::commit(now);
    first.idempotency = Some(given::idempotency(owner, "key", expiry));
    stands(&record, first).await;

    let successor = given::idempotency(owner, "key", expiry + Duration::from_mins(1));
    let mut early = given::commit(expiry - second);
    early.write_job(owner, 1);
    early.idempotency = Some(successor.clone());
    let before = Everything::of(&record).await;
    assert_eq!(
        duplicate(record.journal.commit(early).await),
        Unique::IdempotencyKey
    );
    assert_eq!(Everything::of(&record).await, before);

    let mut late = given::commit(expiry);
    late.idempotency = Some(successor.clone());
    stands(&record, late).await;
    let kept = record
        .idempotency
        .idempotency(owner, &successor.key, expiry)
        .await
        .unwrap();
    assert_eq!(kept, Some(successor));
}

/// Keys belong to their user.
pub async fn two_users_can_use_one_idempotency_key<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    for _ in 0..2 {
        let owner = given::user(&record, now).await;
        let mut commit = given::commit(now);
        let wanted = given::idempotency(owner, "the same", now + Duration::from_mins(1));
        commit.idempotency = Some(wanted.clone());
        stands(&record, commit).await;
        let kept = record
            .idempotency
            .idempotency(owner, &wanted.key, now)
            .await
            .unwrap();
        assert_eq!(kept, Some(wanted));
    }
}

/// Versions are judged before names: whoever lost a stream learns that, whatever else is wrong.
pub async fn versions_are_judged_before_unique_names<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    given::command(&record, now, &photo, PhotoCommand::StartUpload).await;
    let mut commit = given::commit(now);
    commit.write_command(&photo, PhotoCommand::Cancel);
    let job = commit.write_job(owner, 1);
    let mut promised = given::promise(now, owner, job.value.id);
    promised.upload_id = photo.value.upload_id;
    commit.write_photo(promised);
    assert_eq!(
        super::seen::conflicts(record.journal.commit(commit).await).len(),
        1
    );
}
