//! Requests that are refused by their head, before any byte of their body is read.

use crate::support::{BUCKET, StorageServer, read_response, send_bytes, send_presigned, valid_presigning};

const PHOTO: &[u8] = b"not much of a photo";

#[tokio::test(flavor = "multi_thread")]
async fn every_post_without_a_valid_signature_is_refused_before_its_body() {
    let server = StorageServer::start().await;
    let paths = [
        "/",
        "/photos",
        "/photos/k",
        "/photos/k?uploads",
        "/photos/k?uploadId=1",
        "/photos?delete",
    ];
    for path in paths {
        for header in [
            "content-type: multipart/form-data; boundary=b",
            "content-type: multipart/form-data; boundary=b; x=\"\u{e9}\"",
            "content-type: application/xml",
            "content-type: application/x-www-form-urlencoded",
            "authorization: AWS4-HMAC-SHA256 Credential=a/b/c/sts/aws4_request, SignedHeaders=host, Signature=f",
        ] {
            let mut stream = server.connect().await;
            let head =
                format!("POST {path} HTTP/1.1\r\nhost: x\r\n{header}\r\ncontent-length: 314572800\r\n\r\n");
            send_bytes(&mut stream, head).await;
            // The test would hang if the server waited for the body.
            let answer = read_response(&mut stream).await;
            let implemented = path.contains('?') && !header.contains("form-data");
            let status = if implemented { "HTTP/1.1 4" } else { "HTTP/1.1 501" };
            assert!(answer.starts_with(status), "{path} {header}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_upload_is_refused_before_its_body() {
    let server = StorageServer::start().await;
    let mut stream = server.connect().await;
    let head = "PUT /photos/k HTTP/1.1\r\nhost: x\r\ncontent-length: 314572800\r\n\r\n";
    send_bytes(&mut stream, head).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 403"));
}

/// Sends a presigned upload with another URL and additional headers. Returns status and text.
async fn put(
    server: &StorageServer,
    change: impl Fn(&str) -> String,
    extra: &[(&str, &str)],
) -> (u16, String) {
    let url = server.presign_photo("k", PHOTO).await;
    let mut request = server.http.put(change(url.uri())).body(PHOTO);
    for (name, value) in url.headers().chain(extra.iter().copied()) {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_parameter_name_does_not_hide_which_headers_are_signed() {
    let server = StorageServer::start().await;
    let encoded = |url: &str| url.replace("X-Amz-SignedHeaders=", "X-Amz-SignedHeader%73=");
    let claim =
        "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=host;x-amz-acl, Signature=f";
    let acl = ("x-amz-acl", "private");

    let (status, text) = put(&server, encoded, &[acl, ("authorization", claim)]).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("<Code>InvalidArgument</Code>"), "{text}");
    let (status, text) = put(&server, encoded, &[acl]).await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("not signed: x-amz-acl"), "{text}");
    // Encoding alone changes nothing.
    let (status, text) = put(&server, encoded, &[]).await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_headers_are_never_stored_with_an_object() {
    let server = StorageServer::start().await;
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-disposition", "attachment; filename=x.exe"),
        ("content-language", "de"),
        ("expires", "Wed, 21 Oct 2035 07:28:00 GMT"),
    ] {
        let (status, text) = put(&server, str::to_owned, &[(name, value)]).await;
        assert_eq!(status, 403, "{name}: {text}");
        assert!(text.contains(&format!("not signed: {name}")), "{text}");
    }
    // Browsers send this one on their own.
    let (status, text) = put(&server, str::to_owned, &[("cache-control", "no-cache")]).await;
    assert_eq!(status, 200, "{text}");
    let get = server.client.get_object().bucket(BUCKET).key("k");
    let found = server
        .http
        .get(get.presigned(valid_presigning()).await.unwrap().uri())
        .send()
        .await
        .unwrap();
    for name in ["cache-control", "content-encoding", "content-disposition"] {
        assert!(!found.headers().contains_key(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_headers_are_stored_with_an_object() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(19);
    let url = put
        .cache_control("max-age=60")
        .content_disposition("inline")
        .presigned(valid_presigning())
        .await
        .unwrap();
    assert_eq!(send_presigned(&server, &url, PHOTO, |_| {}).await.status(), 200);
    let found = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(found.cache_control(), Some("max-age=60"));
    assert_eq!(found.content_disposition(), Some("inline"));
}
