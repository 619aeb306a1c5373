//! Signs of life of running uploads.

use std::time::Duration;

use super::{DatabaseHarness, fixtures};

const MINUTE: Duration = Duration::from_mins(1);

/// The last sign of life of each upload is kept, also when an earlier one is recorded later.
pub async fn the_last_sign_of_life_is_kept<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let photos: Vec<_> = (0..1000).map(|_| fixtures::photo_id()).collect();
    assert_eq!(db.activity.last_activity(photos[0]).await.unwrap(), None);
    db.activity.record_activity(&photos, now).await.unwrap();
    db.activity
        .record_activity(&photos[..1], now + MINUTE)
        .await
        .unwrap();
    db.activity
        .record_activity(&photos[..2], now - MINUTE)
        .await
        .unwrap();
    db.activity.record_activity(&[], now + MINUTE).await.unwrap();
    for (photo, expected) in [(photos[0], now + MINUTE), (photos[1], now), (photos[999], now)] {
        assert_eq!(db.activity.last_activity(photo).await.unwrap(), Some(expected));
    }
    let other = harness.other_namespace();
    assert_eq!(other.activity.last_activity(photos[0]).await.unwrap(), None);
}

/// Signs of life that several processes received are stored once in an interval.
pub async fn a_sign_of_life_soon_after_the_stored_one_has_no_effect<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let photo = fixtures::photo_id();
    let seconds = |seconds| now + Duration::from_secs(seconds);
    for (at, stored) in [
        (now, now),
        (seconds(30), now),
        (seconds(59), now),
        (seconds(60), seconds(60)),
        (seconds(90), seconds(60)),
        (seconds(120), seconds(120)),
    ] {
        db.activity.record_activity(&[photo], at).await.unwrap();
        assert_eq!(db.activity.last_activity(photo).await.unwrap(), Some(stored));
    }
}

/// Signs of life before a time are deleted, in one namespace.
pub async fn signs_of_life_are_deleted_after_a_time<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (old, new) = (fixtures::photo_id(), fixtures::photo_id());
    let other = harness.other_namespace();
    for db in [&db, &other] {
        db.activity.record_activity(&[old], now).await.unwrap();
        db.activity.record_activity(&[new], now + MINUTE).await.unwrap();
    }
    assert_eq!(db.activity.delete_activity(now).await.unwrap(), 0);
    assert_eq!(db.activity.delete_activity(now + MINUTE).await.unwrap(), 1);
    assert_eq!(db.activity.last_activity(old).await.unwrap(), None);
    assert_eq!(db.activity.last_activity(new).await.unwrap(), Some(now + MINUTE));
    assert_eq!(other.activity.last_activity(old).await.unwrap(), Some(now));
}
