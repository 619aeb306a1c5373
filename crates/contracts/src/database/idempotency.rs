//! Idempotency records: stored responses of requests, until they expire.

use std::time::Duration;

use rapidphoto_application::ports::IdempotencyKey;

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE, commit_ok},
};

/// A record is read as written: fingerprint, photos in order, job or none.
pub async fn a_record_is_read_as_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut full = fixtures::idempotency(owner, "a key ~ with !\"#$%&'()*+,-./", now + LEASE);
    full.photos = (0..300).map(|_| fixtures::photo_id()).collect();
    full.photos.reverse();
    full.fingerprint = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
    let mut bare = fixtures::idempotency(owner, &"k".repeat(255), now + LEASE);
    bare.photos.clear();
    bare.job = None;
    for kept in [full, bare] {
        let mut commit = fixtures::commit(now);
        commit.idempotency = Some(kept.clone());
        commit_ok(&db, commit).await;
        let read = db.idempotency.idempotency(owner, &kept.key, now).await.unwrap();
        assert_eq!(read, Some(kept));
    }
}

/// An unused key, another user's key or another spelling finds nothing.
pub async fn a_key_finds_only_its_own_record<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let mut commit = fixtures::commit(now);
    commit.idempotency = Some(fixtures::idempotency(owner, "Key", now + LEASE));
    commit_ok(&db, commit).await;
    for (user, key) in [(other, "Key"), (owner, "key"), (owner, "Key "), (owner, "Ke")] {
        let key = IdempotencyKey::parse(key).unwrap();
        assert_eq!(
            db.idempotency.idempotency(user, &key, now).await.unwrap(),
            None,
            "{key:?}"
        );
    }
}

/// A record is found until it expires, to the millisecond.
pub async fn a_record_is_kept_until_it_expires<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let kept = fixtures::idempotency(owner, "key", now + LEASE);
    let mut commit = fixtures::commit(now);
    commit.idempotency = Some(kept.clone());
    commit_ok(&db, commit).await;
    let read = |at| db.idempotency.idempotency(owner, &kept.key, at);
    let last = kept.expires_at - Duration::from_millis(1);
    assert_eq!(read(last).await.unwrap(), Some(kept.clone()));
    assert_eq!(read(kept.expires_at).await.unwrap(), None);
}
