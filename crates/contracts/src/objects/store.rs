//! The application's own reads and writes.

use bytes::Bytes;
use rapidphoto_application::ports::{GetError, ObjectStore};
use rapidphoto_domain::values::ETag;

use super::{
    ObjectHarness,
    given::{body, checksum, key, read},
};

/// What was put is described and read back, byte for byte, whatever its length.
pub async fn what_was_put_is_read_back<H: ObjectHarness>(harness: H) {
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

/// What is not there is not there: no error for HEAD and DELETE, `Missing` for GET.
pub async fn what_is_not_there_is_not_found<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    let e_tag = ETag::parse("0123456789abcdef0123456789abcdef").unwrap();
    let read = store.get(&key(1), &e_tag).await;
    assert!(matches!(read, Err(GetError::Missing)), "{read:?}");
    store.delete(&key(1)).await.unwrap();
    store.put(&key(2), body(9), "image/jpeg").await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), None);
    // A key that others begin with is none of them.
    let parent = key(2).strip_suffix("/original").unwrap().to_owned();
    assert_eq!(store.head(&parent).await.unwrap(), None);
}

/// Putting replaces; what was verified in its old state is never read in the new one.
pub async fn an_object_that_changed_is_not_read_as_the_old_one<H: ObjectHarness>(harness: H) {
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

/// A deleted object is gone, its neighbours are not, and its key can be used again.
pub async fn a_deleted_object_is_gone<H: ObjectHarness>(harness: H) {
    let store = harness.store();
    let e_tag = store.put(&key(1), body(10), "image/jpeg").await.unwrap();
    let neighbour = store.put(&key(2), body(20), "image/jpeg").await.unwrap();
    for _ in 0..2 {
        store.delete(&key(1)).await.unwrap();
        assert_eq!(store.head(&key(1)).await.unwrap(), None);
        let read = store.get(&key(1), &e_tag).await;
        assert!(matches!(read, Err(GetError::Missing)), "{read:?}");
    }
    assert_eq!(read(&*store, &key(2), &neighbour).await, body(20));
    let again = store
        .put(&key(1), Bytes::from_static(b"again"), "image/jpeg")
        .await
        .unwrap();
    assert_eq!(read(&*store, &key(1), &again).await, "again");
}

/// The bucket answers.
pub async fn the_bucket_answers<H: ObjectHarness>(harness: H) {
    let store: std::sync::Arc<dyn ObjectStore> = harness.store();
    store.check().await.unwrap();
}
