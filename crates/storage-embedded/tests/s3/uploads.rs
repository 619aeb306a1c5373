use std::time::Duration;

use futures::future::join_all;
use reqwest::StatusCode;

use crate::rig::{BUCKET, Rig, answer, expired, head, in_an_hour, md5, send, sha256, write};

const PHOTO: &[u8] = b"not much of a photo";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_uploads_at_once_exactly_one_becomes_the_object() {
    let rig = Rig::start().await;
    let bodies: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; 100_000]).collect();
    let urls = join_all(bodies.iter().map(|body| rig.presign_photo("k", body))).await;
    let uploads = urls
        .iter()
        .zip(&bodies)
        .map(|(url, body)| async { (send(&rig, url, body, |_| {}).await.status(), body[0]) });
    let (stored, refused): (Vec<_>, Vec<_>) = join_all(uploads)
        .await
        .into_iter()
        .partition(|(status, _)| *status == StatusCode::OK);
    assert_eq!(stored.len(), 1);
    assert!(
        refused
            .iter()
            .all(|(status, _)| *status == StatusCode::PRECONDITION_FAILED),
        "{refused:?}"
    );
    assert_eq!(refused.len(), 49);

    let winner = vec![stored[0].1; 100_000];
    assert!(rig.get("k").await.unwrap() == winner);
    rig.nothing_is_left().await;
    // Whoever is refused is told of the object that is there, and so is the application.
    let announced = rig.messages.objects();
    assert_eq!(announced.len(), 50);
    assert!(
        announced
            .iter()
            .all(|object| *object == announced[0] && object["eTag"] == md5(&winner))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_uploads_that_may_replace_one_whole_one_stays() {
    let rig = Rig::start().await;
    let uploads = (0..20_u8).map(|n| {
        let put = rig
            .client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(vec![n; 200_000].into());
        async { put.send().await.unwrap() }
    });
    join_all(uploads).await;
    let left = rig.get("k").await.unwrap();
    assert!(left.len() == 200_000 && left.iter().all(|byte| *byte == left[0]));
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_the_declared_ones_leave_the_old_object() {
    let rig = Rig::start().await;
    rig.put("k", "old").await;
    let put = || rig.client.put_object().bucket(BUCKET).key("k").content_length(3);
    let urls = [
        put()
            .checksum_sha256(sha256(b"new"))
            .presigned(in_an_hour())
            .await
            .unwrap(),
        put()
            .content_md5("IscjY3tpSFjT0KbIt1IjgQ==")
            .presigned(in_an_hour())
            .await
            .unwrap(),
        put()
            .checksum_crc32("AAAAAA==")
            .presigned(in_an_hour())
            .await
            .unwrap(),
        put()
            .checksum_crc32_c("AAAAAA==")
            .presigned(in_an_hour())
            .await
            .unwrap(),
        put()
            .checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .presigned(in_an_hour())
            .await
            .unwrap(),
        put()
            .checksum_crc64_nvme("AAAAAAAAAAA=")
            .presigned(in_an_hour())
            .await
            .unwrap(),
    ];
    for url in urls {
        let response = send(&rig, &url, b"bad", |_| {}).await;
        assert_eq!(response.status(), 400, "{}", url.uri());
        assert!(response.text().await.unwrap().contains("<Code>BadDigest</Code>"));
    }
    assert_eq!(rig.get("k").await.unwrap(), b"old");
    assert_eq!(rig.messages.all().len(), 1, "only the old object was announced");
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_that_is_none_is_refused_as_such() {
    let rig = Rig::start().await;
    let url = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(3)
        .checksum_sha256("c2hvcnQ=");
    let response = send(&rig, &url.presigned(in_an_hour()).await.unwrap(), b"new", |_| {}).await;
    assert_eq!(response.status(), 400);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("<Code>InvalidRequest</Code>")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_the_signed_one_is_refused() {
    let rig = Rig::start().await;
    let url = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(3)
        .presigned(in_an_hour())
        .await
        .unwrap();
    let digest = hex::encode({
        use s3s::crypto::{Checksum as _, Sha256};
        Sha256::checksum(b"new")
    });
    let told = |headers: &mut std::collections::HashMap<String, String>| {
        headers.insert("x-amz-content-sha256".to_owned(), digest.clone());
    };
    let response = send(&rig, &url, b"bad", told).await;
    assert_eq!(response.status(), 400);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("<Code>XAmzContentSHA256Mismatch</Code>")
    );
    assert_eq!(rig.get("k").await, None);
    assert_eq!(send(&rig, &url, b"new", told).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_is_refused() {
    let rig = Rig::start().await;
    let url = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(in_an_hour())
        .await
        .unwrap();
    let mut stream = rig.connect().await;
    write(
        &mut stream,
        head(&rig, &url, "transfer-encoding: chunked\r\n") + "3\r\nnew\r\n0\r\n\r\n",
    )
    .await;
    let answer = answer(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 411") && answer.contains("MissingContentLength"),
        "{answer}"
    );
    assert_eq!(rig.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_too_large_is_refused_before_its_body() {
    let rig = Rig::with(|config| config.max_object_bytes = 10).await;
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(11)
        .presigned(in_an_hour())
        .await
        .unwrap();
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &put, "expect: 100-continue\r\n")).await;
    let refused = answer(&mut stream).await;
    assert!(
        refused.starts_with("HTTP/1.1 400") && refused.contains("<Code>EntityTooLarge</Code>"),
        "{refused}"
    );

    rig.put("k", "0123456789").await;
    assert!(rig.get("k").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_is_told_to_continue_or_why_not() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "expect: 100-continue\r\n")).await;
    assert_eq!(answer(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    write(&mut stream, PHOTO).await;
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));

    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "expect: 100-continue\r\n")).await;
    assert!(
        answer(&mut stream).await.starts_with("HTTP/1.1 412"),
        "it is there already"
    );
    // It was not told to send the body, and nobody waits for that, as for one that is under way (30 seconds).
    let rest = tokio::time::timeout(Duration::from_secs(20), answer(&mut stream)).await;
    assert_eq!(rest.expect("the connection is closed"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_early_still_sees_why() {
    let rig = Rig::start().await;
    let body = vec![7; 20 * 1024 * 1024];
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(20 * 1024 * 1024);
    let url = put.presigned(expired()).await.unwrap();
    let mut stream = rig.connect().await;
    // A client that looks for an answer only when it has sent all it has.
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &body).await;
    let refused = answer(&mut stream).await;
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("Request has expired"),
        "{refused}"
    );
    // And the connection is good for another request.
    write(&mut stream, "OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_upload_of_a_large_photo_sees_that_it_is_there() {
    let rig = Rig::start().await;
    let body = vec![7; 12 * 1024 * 1024];
    let url = rig.presign_photo("k", &body).await;
    for expected in ["HTTP/1.1 200", "HTTP/1.1 412"] {
        let mut stream = rig.connect().await;
        write(&mut stream, head(&rig, &url, "")).await;
        write(&mut stream, &body).await;
        assert!(answer(&mut stream).await.starts_with(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_has_a_bound() {
    let rig = Rig::start().await;
    let put = rig
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .metadata("a", "x".repeat(20_000));
    let refused = put.body(b"meow".to_vec().into()).send().await.unwrap_err();
    assert_eq!(
        refused.into_service_error().meta().code(),
        Some("MetadataTooLarge")
    );
}
