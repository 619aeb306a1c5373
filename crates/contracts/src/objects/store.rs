//! Reads and writes by the application.

use bytes::Bytes;
use rapidphoto_application::ports::{GetError, ObjectStore};
use rapidphoto_domain::values::ETag;

use super::{
    ObjectHarness,
    fixtures::{body, checksum, key, read, unusual_keys},
};

/// An object of any length is described and read byte for byte.
pub async fn an_object_is_read_as_written<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    for (number, length) in [(1, 0), (2, 1), (3, 64 * 1024), (4, 3_000_001)] {
        let (key, body) = (key(number), body(length));
        let e_tag = store.put(&key, body.clone(), "image/jpeg").await.unwrap();
        let head = store.head(&key).await.unwrap().unwrap();
        assert_eq!((&head.e_tag, head.bytes), (&e_tag, length as u64));
        assert_eq!(head.content_type.as_deref(), Some("image/jpeg"));
        assert!(head.checksum.is_none_or(|known| known == checksum(&body)));
        assert!(read(&*store, &key, &e_tag).await == body, "{length} bytes");
    }
}

/// A missing object is no error for HEAD and DELETE, and `Missing` for GET.
pub async fn a_missing_object_is_not_found<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    let e_tag = ETag::parse("0123456789abcdef0123456789abcdef").unwrap();
    let read = store.get(&key(1), &e_tag).await;
    assert!(matches!(read, Err(GetError::Missing)), "{read:?}");
    store.delete(&key(1)).await.unwrap();
    store.put(&key(2), body(9), "image/jpeg").await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    // A prefix of a key is another key.
    let parent = key(2).strip_suffix("/original").unwrap().to_owned();
    assert_eq!(store.head(&parent).await.unwrap(), None);
}

/// A PUT replaces an object; a read with the old ETag never returns the new bytes.
pub async fn a_read_with_an_old_etag_fails<H: ObjectHarness>(harness: H) {
    let (store, key) = (harness.store(), key(1));
    let first = store.put(&key, body(100), "image/jpeg").await.unwrap();
    let second = store.put(&key, body(200), "image/png").await.unwrap();
    assert_ne!(first, second);
    let stale = store.get(&key, &first).await;
    assert!(matches!(stale, Err(GetError::Changed)), "{stale:?}");
    let head = store.head(&key).await.unwrap().unwrap();
    assert_eq!((head.e_tag, head.bytes), (second.clone(), 200));
    assert_eq!(head.content_type.as_deref(), Some("image/png"));
    assert_eq!(read(&*store, &key, &second).await, body(200));
}

/// Only the deleted object is removed, and its key can be used again.
pub async fn a_deleted_object_is_removed<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    let e_tag = store.put(&key(1), body(10), "image/jpeg").await.unwrap();
    let other = store.put(&key(2), body(20), "image/jpeg").await.unwrap();
    for _ in 0..2 {
        store.delete(&key(1)).await.unwrap();
        assert_eq!(store.head(&key(1)).await.unwrap(), None);
        let read = store.get(&key(1), &e_tag).await;
        assert!(matches!(read, Err(GetError::Missing)), "{read:?}");
    }
    assert_eq!(read(&*store, &key(2), &other).await, body(20));
    let again = store
        .put(&key(1), Bytes::from_static(b"again"), "image/jpeg")
        .await
        .unwrap();
    assert_eq!(read(&*store, &key(1), &again).await, "again");
}

/// The check of a reachable bucket succeeds.
pub async fn the_check_of_a_reachable_bucket_succeeds<H: ObjectHarness>(harness: H) {
    let store: std::sync::Arc<dyn ObjectStore> = harness.store();
    store.check().await.unwrap();
}

/// Keys are not decoded or normalised: each is an object of its own.
pub async fn keys_of_any_characters_are_different_objects<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    let mut written = Vec::new();
    for (number, key) in unusual_keys().into_iter().enumerate() {
        let e_tag = store.put(&key, body(number + 1), "image/jpeg").await.unwrap();
        written.push((key, e_tag));
    }
    for (number, (key, e_tag)) in written.iter().enumerate() {
        assert_eq!(&store.head(key).await.unwrap().unwrap().e_tag, e_tag, "{key}");
        assert_eq!(read(&*store, key, e_tag).await, body(number + 1), "{key}");
    }
}
