use std::time::Duration;

use futures::future::join_all;
use reqwest::StatusCode;

use crate::support::{
    BUCKET, StorageServer, etag, expired_presigning, read_response, request_head, send_bytes, send_presigned,
    sha256, valid_presigning,
};

const PHOTO: &[u8] = b"not much of a photo";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_one_of_fifty_concurrent_conditional_uploads_succeeds() {
    let server = StorageServer::start().await;
    let bodies: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; 100_000]).collect();
    let urls = join_all(bodies.iter().map(|body| server.presign_photo("k", body))).await;
    let uploads = urls
        .iter()
        .zip(&bodies)
        .map(|(url, body)| async { (send_presigned(&server, url, body, |_| {}).await.status(), body[0]) });
    let (stored, rejected): (Vec<_>, Vec<_>) = join_all(uploads)
        .await
        .into_iter()
        .partition(|(status, _)| *status == StatusCode::OK);
    assert_eq!(stored.len(), 1);
    // A newer upload replaces an older one that is not received yet.
    let (refused, replaced): (Vec<_>, Vec<_>) = rejected
        .iter()
        .partition(|(status, _)| *status == StatusCode::PRECONDITION_FAILED);
    assert!(
        replaced.iter().all(|(status, _)| *status == StatusCode::CONFLICT),
        "{replaced:?}"
    );

    let winner = vec![stored[0].1; 100_000];
    assert!(server.get("k").await.unwrap() == winner);
    server.wait_for_no_incoming().await;
    // Each rejected upload repeats the notification of the stored object.
    let objects = server.notifications.objects();
    assert_eq!(objects.len(), 1 + refused.len());
    assert!(
        objects
            .iter()
            .all(|object| *object == objects[0] && object["eTag"] == etag(&winner))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_replacing_uploads_leave_one_complete_object() {
    let server = StorageServer::start().await;
    let uploads = (0..20_u8).map(|n| {
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(vec![n; 200_000].into());
        async { put.send().await.is_ok() }
    });
    assert!(join_all(uploads).await.contains(&true));
    let data = server.get("k").await.unwrap();
    assert!(data.len() == 200_000 && data.iter().all(|byte| *byte == data[0]));
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_a_wrong_checksum_keeps_the_old_object() {
    let server = StorageServer::start().await;
    server.put("k", "old").await;
    let put = || {
        server
            .client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .content_length(3)
    };
    let urls = [
        put()
            .checksum_sha256(sha256(b"new"))
            .presigned(valid_presigning())
            .await
            .unwrap(),
        put()
            .content_md5("IscjY3tpSFjT0KbIt1IjgQ==")
            .presigned(valid_presigning())
            .await
            .unwrap(),
        put()
            .checksum_crc32("AAAAAA==")
            .presigned(valid_presigning())
            .await
            .unwrap(),
        put()
            .checksum_crc32_c("AAAAAA==")
            .presigned(valid_presigning())
            .await
            .unwrap(),
        put()
            .checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .presigned(valid_presigning())
            .await
            .unwrap(),
        put()
            .checksum_crc64_nvme("AAAAAAAAAAA=")
            .presigned(valid_presigning())
            .await
            .unwrap(),
    ];
    for url in urls {
        let response = send_presigned(&server, &url, b"bad", |_| {}).await;
        assert_eq!(response.status(), 400, "{}", url.uri());
        assert!(response.text().await.unwrap().contains("<Code>BadDigest</Code>"));
    }
    assert_eq!(server.get("k").await.unwrap(), b"old");
    assert_eq!(
        server.notifications.received().len(),
        1,
        "only the old object has a notification"
    );
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_checksum_is_an_invalid_request() {
    let server = StorageServer::start().await;
    let url = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(3)
        .checksum_sha256("c2hvcnQ=");
    let response = send_presigned(
        &server,
        &url.presigned(valid_presigning()).await.unwrap(),
        b"new",
        |_| {},
    )
    .await;
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
async fn a_body_that_differs_from_the_signed_hash_is_rejected() {
    let server = StorageServer::start().await;
    let url = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(3)
        .presigned(valid_presigning())
        .await
        .unwrap();
    let digest = hex::encode({
        use s3s::crypto::{Checksum as _, Sha256};
        Sha256::checksum(b"new")
    });
    let add_hash = |headers: &mut std::collections::HashMap<String, String>| {
        headers.insert("x-amz-content-sha256".to_owned(), digest.clone());
    };
    let response = send_presigned(&server, &url, b"bad", add_hash).await;
    assert_eq!(response.status(), 400);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("<Code>XAmzContentSHA256Mismatch</Code>")
    );
    assert_eq!(server.get("k").await, None);
    assert_eq!(
        send_presigned(&server, &url, b"new", add_hash).await.status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_is_rejected() {
    let server = StorageServer::start().await;
    let url = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(valid_presigning())
        .await
        .unwrap();
    let mut stream = server.connect().await;
    send_bytes(
        &mut stream,
        request_head(&server, &url, "transfer-encoding: chunked\r\n") + "3\r\nnew\r\n0\r\n\r\n",
    )
    .await;
    let response = read_response(&mut stream).await;
    assert!(
        response.starts_with("HTTP/1.1 411") && response.contains("MissingContentLength"),
        "{response}"
    );
    assert_eq!(server.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_too_large_object_is_rejected_before_its_body_is_sent() {
    let server = StorageServer::with_config(|config| config.max_object_bytes = 10).await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(11)
        .presigned(valid_presigning())
        .await
        .unwrap();
    let mut stream = server.connect().await;
    send_bytes(
        &mut stream,
        request_head(&server, &put, "expect: 100-continue\r\n"),
    )
    .await;
    let rejected = read_response(&mut stream).await;
    assert!(
        rejected.starts_with("HTTP/1.1 400") && rejected.contains("<Code>EntityTooLarge</Code>"),
        "{rejected}"
    );

    server.put("k", "0123456789").await;
    assert!(server.get("k").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn expect_continue_is_answered_before_the_body() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(
        &mut stream,
        request_head(&server, &url, "expect: 100-continue\r\n"),
    )
    .await;
    assert_eq!(read_response(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    send_bytes(&mut stream, PHOTO).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));

    let mut stream = server.connect().await;
    send_bytes(
        &mut stream,
        request_head(&server, &url, "expect: 100-continue\r\n"),
    )
    .await;
    assert!(
        read_response(&mut stream).await.starts_with("HTTP/1.1 412"),
        "the object exists"
    );
    // The server does not wait 30 seconds for the rest of the body, because the client received no `100 Continue`.
    let rest = tokio::time::timeout(Duration::from_secs(20), read_response(&mut stream)).await;
    assert_eq!(rest.expect("the connection is closed"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_its_whole_body_can_read_an_early_error() {
    let server = StorageServer::start().await;
    let body = vec![7; 20 * 1024 * 1024];
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(20 * 1024 * 1024);
    let url = put.presigned(expired_presigning()).await.unwrap();
    let mut stream = server.connect().await;
    // This client reads the response only after it has sent the whole body.
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &body).await;
    let rejected = read_response(&mut stream).await;
    assert!(
        rejected.starts_with("HTTP/1.1 403") && rejected.contains("Request has expired"),
        "{rejected}"
    );
    // The connection can be used for another request.
    send_bytes(&mut stream, "OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_upload_of_a_large_photo_receives_412() {
    let server = StorageServer::start().await;
    let body = vec![7; 12 * 1024 * 1024];
    let url = server.presign_photo("k", &body).await;
    for expected in ["HTTP/1.1 200", "HTTP/1.1 412"] {
        let mut stream = server.connect().await;
        send_bytes(&mut stream, request_head(&server, &url, "")).await;
        send_bytes(&mut stream, &body).await;
        assert!(read_response(&mut stream).await.starts_with(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_metadata_is_rejected() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .metadata("a", "x".repeat(20_000));
    let rejected = put.body(b"meow".to_vec().into()).send().await.unwrap_err();
    assert_eq!(
        rejected.into_service_error().meta().code(),
        Some("MetadataTooLarge")
    );
}
