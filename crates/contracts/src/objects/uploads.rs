//! Presigned uploads: accepted once, exactly as signed.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use rapidphoto_application::ports::PutGrant;
use rapidphoto_domain::values::MimeType;

use super::{
    Answer, ObjectHarness,
    fixtures::{body, checksum, grant, key, read, reading, signed, unusual_keys},
};

/// Asserts that an upload was rejected and nothing was stored.
async fn assert_rejected(harness: &impl ObjectHarness, key: &str, answer: Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(harness.store().head(key).await.unwrap(), None, "{answer:?}");
}

/// Asserts that bytes with another checksum were rejected, or that the store claims nothing about them: the worker compares
/// the checksum of what it reads. The object is removed.
async fn assert_rejected_or_unverified(harness: &impl ObjectHarness, key: &str, answer: Answer) {
    if harness.verifies_checksums() {
        return assert_rejected(harness, key, answer).await;
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    let store = harness.store();
    let head = store.head(key).await.unwrap().unwrap();
    assert_eq!(head.checksum, None, "the store does not know the checksum");
    store.delete(key).await.unwrap();
}

/// A request as signed stores the file with the signed media type. The response has its ETag.
pub async fn a_client_uploads_as_signed<H: ObjectHarness>(harness: H) {
    let (store, presigner) = (harness.store(), harness.presigner());
    for (number, length) in [(1, 0), (2, 1), (3, 3_000_001)] {
        for known in [true, false] {
            let (key, body) = (key(number * 2 + u128::from(known)), body(length));
            let mut grant = grant(&key, &body);
            grant.mime_type = MimeType::Heic;
            if !known {
                grant.checksum = None;
            }
            let upload = signed(&*presigner, &grant).await;
            let named = |name: &str| {
                upload
                    .headers
                    .iter()
                    .any(|(header, _)| header.eq_ignore_ascii_case(name))
            };
            assert!(named("content-type") && named("if-none-match"), "{upload:?}");
            assert!(!named("content-length"), "browsers set it themselves");
            assert_eq!(named("x-amz-checksum-sha256"), known);
            let answer = harness.put(&upload.url, &upload.headers, body.clone()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let head = store.head(&key).await.unwrap().unwrap();
            assert_eq!(answer.header("etag"), Some(head.e_tag.quoted().as_str()));
            assert_eq!(
                (head.bytes, head.content_type.as_deref()),
                (length as u64, Some("image/heic"))
            );
            assert!(head.checksum.is_none_or(|known| known == checksum(&body)));
            assert!(read(&*store, &key, &head.e_tag).await == body, "{length} bytes");
        }
    }
}

/// URLs name exactly the key that was signed, for uploads and downloads.
pub async fn a_client_uploads_to_keys_of_any_characters<H: ObjectHarness>(harness: H) {
    let (store, presigner) = (harness.store(), harness.presigner());
    for (number, key) in unusual_keys().into_iter().enumerate() {
        let body = body(number + 1);
        let upload = signed(&*presigner, &grant(&key, &body)).await;
        let answer = harness.put(&upload.url, &upload.headers, body.clone()).await;
        assert_eq!(answer.status, 200, "{key}: {answer:?}");
        assert_eq!(
            store.head(&key).await.unwrap().unwrap().bytes,
            body.len() as u64,
            "{key}"
        );
        let download = presigner.get(&reading(&key)).await.unwrap();
        let answer = harness.get(&download.url).await;
        assert_eq!((answer.status, answer.body), (200, body), "{key}");
    }
}

/// Fewer or more bytes are rejected, even if the type is right and no checksum was declared.
pub async fn another_length_is_rejected<H: ObjectHarness>(harness: H) {
    let (key, whole) = (key(1), body(1000));
    let grant = PutGrant {
        checksum: None,
        ..grant(&key, &whole)
    };
    let upload = signed(&*harness.presigner(), &grant).await;
    for length in [0, 999, 1001, 100_000] {
        let answer = harness.put(&upload.url, &upload.headers, body(length)).await;
        assert_rejected(&harness, &key, answer).await;
    }
    let answer = harness.put(&upload.url, &upload.headers, whole).await;
    assert_eq!(
        answer.status, 200,
        "a rejected upload does not use up the URL: {answer:?}"
    );
}

/// Another media type is rejected, even if everything else is right.
pub async fn another_media_type_is_rejected<H: ObjectHarness>(harness: H) {
    let (key, body) = (key(1), body(1000));
    let upload = signed(&*harness.presigner(), &grant(&key, &body)).await;
    for other in ["text/html", "image/png", ""] {
        let headers: Vec<_> = upload
            .headers
            .iter()
            .map(|(name, value)| {
                let is_type = name.eq_ignore_ascii_case("content-type");
                (name.clone(), if is_type { other } else { value }.to_owned())
            })
            .collect();
        let answer = harness.put(&upload.url, &headers, body.clone()).await;
        assert_rejected(&harness, &key, answer).await;
    }
}

/// Each signed header is required.
pub async fn every_signed_header_is_required<H: ObjectHarness>(harness: H) {
    let (key, body) = (key(1), body(1000));
    let upload = signed(&*harness.presigner(), &grant(&key, &body)).await;
    for left_out in 0..upload.headers.len() {
        let mut headers = upload.headers.clone();
        headers.remove(left_out);
        let answer = harness.put(&upload.url, &headers, body.clone()).await;
        assert_rejected(&harness, &key, answer).await;
    }
    let answer = harness.put(&upload.url, &upload.headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Bytes with another checksum than the declared one are rejected, even if their length is right or the client sends
/// the checksum of the actual bytes.
pub async fn bytes_with_another_checksum_are_rejected<H: ObjectHarness>(harness: H) {
    use rapidphoto_domain::values::Checksum;
    let (key, body) = (key(1), body(1000));
    let presigner = harness.presigner();
    let upload = signed(&*presigner, &grant(&key, &body)).await;
    let mut changed = body.to_vec();
    changed[500] ^= 1;
    let changed = Bytes::from(changed);
    let answer = harness.put(&upload.url, &upload.headers, changed.clone()).await;
    assert_rejected_or_unverified(&harness, &key, answer).await;
    // Headers signed for the other bytes, from a URL of their own.
    let other = signed(&*presigner, &grant(&super::fixtures::key(2), &changed)).await;
    let answer = harness.put(&upload.url, &other.headers, changed).await;
    assert_rejected(&harness, &key, answer).await;
    let wrong = PutGrant {
        checksum: Some(Checksum::from_bytes([7; 32])),
        ..grant(&key, &body)
    };
    let upload = signed(&*presigner, &wrong).await;
    let answer = harness.put(&upload.url, &upload.headers, body).await;
    assert_rejected_or_unverified(&harness, &key, answer).await;
}

/// A second PUT never replaces an object, neither with the same URL nor with a new one, neither with the same bytes nor
/// with others.
pub async fn a_second_put_never_replaces_an_object<H: ObjectHarness>(harness: H) {
    let (store, presigner, key) = (harness.store(), harness.presigner(), key(1));
    let first = signed(&*presigner, &grant(&key, &body(1000))).await;
    assert_eq!(
        harness.put(&first.url, &first.headers, body(1000)).await.status,
        200
    );
    let head = store.head(&key).await.unwrap().unwrap();
    let again = harness.put(&first.url, &first.headers, body(1000)).await;
    assert_eq!(again.status, 412, "{again:?}");
    let fresh = signed(&*presigner, &grant(&key, &body(2000))).await;
    let other = harness.put(&fresh.url, &fresh.headers, body(2000)).await;
    assert_eq!(other.status, 412, "{other:?}");
    assert_eq!(store.head(&key).await.unwrap().as_ref(), Some(&head));
    assert_eq!(read(&*store, &key, &head.e_tag).await, body(1000));
}

/// One of concurrent uploads to a key is stored in full; the others receive an error.
pub async fn one_of_concurrent_uploads_is_stored<H: ObjectHarness>(harness: H) {
    let (store, presigner, key) = (harness.store(), harness.presigner(), key(1));
    let uploads = (1..=10).map(|number| {
        let (harness, presigner, key) = (&harness, &presigner, &key);
        async move {
            let body = body(100_000 + number);
            let upload = signed(&**presigner, &grant(key, &body)).await;
            (
                harness.put(&upload.url, &upload.headers, body.clone()).await,
                body,
            )
        }
    });
    let outcomes = join_all(uploads).await;
    let (stored, rejected): (Vec<_>, Vec<_>) = outcomes.iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!(stored.len(), 1);
    // S3 answers 409 to a PUT during another one for the same key.
    assert!(
        rejected
            .iter()
            .all(|(answer, _)| matches!(answer.status, 412 | 409)),
        "{rejected:?}"
    );
    let head = store.head(&key).await.unwrap().unwrap();
    assert!(read(&*store, &key, &head.e_tag).await == stored[0].1);
}

/// An expired URL is rejected.
pub async fn an_upload_url_expires<H: ObjectHarness>(harness: H) {
    let (key, body) = (key(1), body(10));
    let grant = PutGrant {
        valid_for: Duration::from_secs(1),
        ..grant(&key, &body)
    };
    let upload = signed(&*harness.presigner(), &grant).await;
    harness.pass(Duration::from_millis(2500)).await;
    let answer = harness.put(&upload.url, &upload.headers, body).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_rejected(&harness, &key, answer).await;
}

/// A URL is valid for its own key and method.
pub async fn an_upload_url_is_valid_for_one_key_and_one_method<H: ObjectHarness>(harness: H) {
    let (store, presigner) = (harness.store(), harness.presigner());
    let (mine, other, body) = (key(1), key(2), body(10));
    let upload = signed(&*presigner, &grant(&mine, &body)).await;
    let moved = upload.url.replace(&photo(&mine), &photo(&other));
    assert_ne!(moved, upload.url);
    let answer = harness.put(&moved, &upload.headers, body.clone()).await;
    assert_rejected(&harness, &other, answer).await;

    let reading = presigner.get(&reading(&mine)).await.unwrap();
    let answer = harness.put(&reading.url, &upload.headers, body.clone()).await;
    assert_rejected(&harness, &mine, answer).await;

    store.put(&mine, body, "image/jpeg").await.unwrap();
    let answer = harness.get(&upload.url).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

/// The photo id within a key, which percent-encoding does not change.
fn photo(key: &str) -> String {
    key.split('/')
        .find(|segment| segment.starts_with("ph_"))
        .unwrap()
        .to_owned()
}
