//! Presigned URLs of parts: each is accepted for one part of one upload, with the signed length.

use std::time::Duration;

use rapidphoto_application::ports::PartGrant;

use super::{
    MultipartHarness,
    fixtures::{body, key, part_grant},
};

/// Bytes of another length are rejected.
pub async fn a_part_of_another_length_is_rejected<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    let signed = harness
        .presigner()
        .part(&part_grant(&key, &upload, 1, 10))
        .await
        .unwrap();
    for length in [9, 11] {
        let answer = harness.put(&signed.url, &signed.headers, body(length)).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    assert_eq!(multipart.parts(&key, &upload).await.unwrap(), Some(Vec::new()));
}

/// A URL with another part number, upload or key is rejected.
pub async fn a_part_url_is_valid_for_one_part_of_one_upload<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    let signed = harness
        .presigner()
        .part(&part_grant(&key, &upload, 1, 10))
        .await
        .unwrap();
    let (path, query) = signed.url.split_once('?').unwrap();
    let changed = [
        signed.url.replace("partNumber=1", "partNumber=2"),
        signed.url.replace("uploadId=", "uploadId=x"),
        format!("{path}2?{query}"),
        path.to_owned(),
    ];
    for url in changed.into_iter().filter(|url| *url != signed.url) {
        let answer = harness.put(&url, &signed.headers, body(10)).await;
        assert_eq!(answer.status, 403, "{url}: {answer:?}");
    }
    assert_eq!(multipart.parts(&key, &upload).await.unwrap(), Some(Vec::new()));
    assert_eq!(harness.get(&signed.url).await.status, 403);
}

/// An expired URL is rejected.
pub async fn a_part_url_expires<H: MultipartHarness>(harness: H) {
    let (key, multipart) = (key(1), harness.multipart());
    let upload = multipart.open(&key, "image/jpeg").await.unwrap();
    let grant = PartGrant {
        valid_for: Duration::from_secs(1),
        ..part_grant(&key, &upload, 1, 10)
    };
    let signed = harness.presigner().part(&grant).await.unwrap();
    harness.pass(Duration::from_millis(2500)).await;
    let answer = harness.put(&signed.url, &signed.headers, body(10)).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(multipart.parts(&key, &upload).await.unwrap(), Some(Vec::new()));
}
