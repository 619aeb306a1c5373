//! Presigned uploads: usable exactly as signed, once.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use rapidphoto_application::ports::PutGrant;
use rapidphoto_domain::values::MimeType;

use super::{
    Answer, ObjectHarness,
    given::{body, checksum, grant, key, read, reading, signed},
};

/// Refused, and nothing is there.
async fn is_refused(harness: &impl ObjectHarness, key: &str, answer: Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(harness.store().head(key).await.unwrap(), None, "{answer:?}");
}

/// A client that does as it was told has its file stored, of the type that was signed, with its ETag in the answer.
pub async fn a_client_uploads_what_was_signed<H: ObjectHarness>(harness: H) {
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

/// Neither fewer bytes nor more, though the type is right and no checksum was declared.
pub async fn another_length_is_refused<H: ObjectHarness>(harness: H) {
    let (key, whole) = (key(1), body(1000));
    let grant = PutGrant {
        checksum: None,
        ..grant(&key, &whole)
    };
    let upload = signed(&*harness.presigner(), &grant).await;
    for length in [0, 999, 1001, 100_000] {
        let answer = harness.put(&upload.url, &upload.headers, body(length)).await;
        is_refused(&harness, &key, answer).await;
    }
    let answer = harness.put(&upload.url, &upload.headers, whole).await;
    assert_eq!(answer.status, 200, "a refusal uses nothing up: {answer:?}");
}

/// No other type, also where everything else is right.
pub async fn another_type_is_refused<H: ObjectHarness>(harness: H) {
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
        is_refused(&harness, &key, answer).await;
    }
}

/// No header that was signed can be left out or said otherwise.
pub async fn a_signed_header_can_not_be_left_out<H: ObjectHarness>(harness: H) {
    let (key, body) = (key(1), body(1000));
    let upload = signed(&*harness.presigner(), &grant(&key, &body)).await;
    for left_out in 0..upload.headers.len() {
        let mut headers = upload.headers.clone();
        headers.remove(left_out);
        let answer = harness.put(&upload.url, &headers, body.clone()).await;
        is_refused(&harness, &key, answer).await;
    }
    let answer = harness.put(&upload.url, &upload.headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Bytes of another checksum than declared are not stored, though their length is right; nor are they if the client
/// says the checksum that they have.
pub async fn bytes_of_another_checksum_are_refused<H: ObjectHarness>(harness: H) {
    use rapidphoto_domain::values::Checksum;
    let (key, body) = (key(1), body(1000));
    let presigner = harness.presigner();
    let upload = signed(&*presigner, &grant(&key, &body)).await;
    let mut changed = body.to_vec();
    changed[500] ^= 1;
    let changed = Bytes::from(changed);
    let answer = harness.put(&upload.url, &upload.headers, changed.clone()).await;
    is_refused(&harness, &key, answer).await;
    // The headers that would be right for the other bytes, from a URL of their own.
    let theirs = signed(&*presigner, &grant(&super::given::key(2), &changed)).await;
    let answer = harness.put(&upload.url, &theirs.headers, changed).await;
    is_refused(&harness, &key, answer).await;
    let wrong = PutGrant {
        checksum: Some(Checksum::from_bytes([7; 32])),
        ..grant(&key, &body)
    };
    let upload = signed(&*presigner, &wrong).await;
    let answer = harness.put(&upload.url, &upload.headers, body).await;
    is_refused(&harness, &key, answer).await;
}

/// A second PUT never replaces an object: not with the same URL, not with a fresh one, not with other bytes.
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

/// Of uploads that race for one key, one is stored, whole, and the others are told that it is there.
pub async fn of_uploads_that_race_one_is_stored<H: ObjectHarness>(harness: H) {
    let (store, presigner, key) = (harness.store(), harness.presigner(), key(1));
    let racers = (1..=10).map(|number| {
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
    let outcomes = join_all(racers).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!(won.len(), 1);
    // S3 answers 409 to one that comes while another is being stored.
    assert!(
        lost.iter().all(|(answer, _)| matches!(answer.status, 412 | 409)),
        "{lost:?}"
    );
    let head = store.head(&key).await.unwrap().unwrap();
    assert!(read(&*store, &key, &head.e_tag).await == won[0].1);
}

/// After its time a URL works no more, and it says when that is.
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
    is_refused(&harness, &key, answer).await;
}

/// A URL is good for its own key and its own method.
pub async fn an_upload_url_is_good_for_one_key_and_one_method<H: ObjectHarness>(harness: H) {
    let (store, presigner) = (harness.store(), harness.presigner());
    let (mine, other, body) = (key(1), key(2), body(10));
    let upload = signed(&*presigner, &grant(&mine, &body)).await;
    let moved = upload.url.replace(&photo(&mine), &photo(&other));
    assert_ne!(moved, upload.url);
    let answer = harness.put(&moved, &upload.headers, body.clone()).await;
    is_refused(&harness, &other, answer).await;

    let reading = presigner.get(&reading(&mine)).await.unwrap();
    let answer = harness.put(&reading.url, &upload.headers, body.clone()).await;
    is_refused(&harness, &mine, answer).await;

    store.put(&mine, body, "image/jpeg").await.unwrap();
    let answer = harness.get(&upload.url).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

/// The part of a key that no encoding touches.
fn photo(key: &str) -> String {
    key.split('/')
        .find(|segment| segment.starts_with("ph_"))
        .unwrap()
        .to_owned()
}
