//! What requests led to, for as long as it is kept.

use std::time::Duration;

use rapidphoto_application::ports::IdempotencyKey;

use super::{
    RecordHarness,
    given::{self, LEASE, stands},
};

/// A record comes back as it was written: fingerprint, photos in their order, job or none.
pub async fn a_record_comes_back_as_it_was_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut full = given::idempotency(owner, "a key ~ with !\"#$%&'()*+,-./", now + LEASE);
    full.photos = (0..300).map(|_| given::photo_id()).collect();
    full.photos.reverse();
    full.fingerprint = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
    let mut bare = given::idempotency(owner, &"k".repeat(255), now + LEASE);
    bare.photos.clear();
    bare.job = None;
    for kept in [full, bare] {
        let mut commit = given::commit(now);
        commit.idempotency = Some(kept.clone());
        stands(&record, commit).await;
        let read = record
            .idempotency
            .idempotency(owner, &kept.key, now)
            .await
            .unwrap();
        assert_eq!(read, Some(kept));
    }
}

/// A key that was not used, or by another user, or in another spelling, leads to nothing.
pub async fn a_key_leads_to_its_own_request_only<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (owner, other) = (given::user(&record, now).await, given::user(&record, now).await);
    let mut commit = given::commit(now);
    commit.idempotency = Some(given::idempotency(owner, "Key", now + LEASE));
    stands(&record, commit).await;
    for (user, key) in [(other, "Key"), (owner, "key"), (owner, "Key "), (owner, "Ke")] {
        let key = IdempotencyKey::parse(key).unwrap();
        assert_eq!(
            record.idempotency.idempotency(user, &key, now).await.unwrap(),
            None,
            "{key:?}"
        );
    }
}

/// Kept until it expires, to the millisecond.
pub async fn a_record_is_kept_until_it_expires<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let kept = given::idempotency(owner, "key", now + LEASE);
    let mut commit = given::commit(now);
    commit.idempotency = Some(kept.clone());
    stands(&record, commit).await;
    let read = |at| record.idempotency.idempotency(owner, &kept.key, at);
    let last = kept.expires_at - Duration::from_millis(1);
    assert_eq!(read(last).await.unwrap(), Some(kept.clone()));
    assert_eq!(read(kept.expires_at).await.unwrap(), None);
}
