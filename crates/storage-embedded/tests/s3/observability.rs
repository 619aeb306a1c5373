//! Messages, log lines and metrics about refused requests.

use std::collections::HashMap;

use crate::process;
use crate::support::{StorageServer, read_response, request_head, send_bytes, send_presigned};

const PHOTO: &[u8] = b"not much of a photo";

/// Uploads to `key` with changed headers. Returns the answer's message; its log line must have it too.
async fn rejected(
    server: &StorageServer,
    key: &str,
    change: impl FnOnce(&mut HashMap<String, String>),
) -> String {
    let log = process::log();
    let url = server.presign_photo(key, PHOTO).await;
    let response = send_presigned(server, &url, PHOTO, change).await;
    assert_eq!(response.status(), 403);
    let id = response.headers()["x-amz-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let message = message(&response.text().await.unwrap());

    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(&id)).collect();
    let [line] = lines.as_slice() else {
        panic!("one line for {id}: {lines:?}")
    };
    assert!(line.contains("WARN"), "{line}");
    assert!(line.contains("code=\"SignatureDoesNotMatch\""), "{line}");
    assert!(line.contains(&format!("path=\"/photos/{key}\"")), "{line}");
    assert!(
        line.contains("the signature does not match") || line.contains("The signature does not match"),
        "{line}"
    );
    assert!(!line.contains("X-Amz-Signature"), "{line}");
    message
}

fn message(answer: &str) -> String {
    let (_, rest) = answer
        .split_once("<Code>SignatureDoesNotMatch</Code><Message>")
        .expect(answer);
    rest.split_once("</Message>").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_signed_headers_are_named() {
    let server = StorageServer::start().await;
    let none = rejected(&server, "no-headers", |headers| {
        headers.retain(|name, _| name == "content-length");
    })
    .await;
    assert!(
        none.contains("lacks signed headers: content-type, if-none-match, x-amz-checksum-sha256."),
        "{none}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_different_type_or_length_is_shown_and_other_values_are_not() {
    let server = StorageServer::start().await;
    let other_type = rejected(&server, "type", |headers| {
        headers.insert("content-type".to_owned(), "text/plain".to_owned());
    })
    .await;
    assert!(
        other_type.contains("content-type &quot;text/plain&quot;"),
        "{other_type}"
    );
    assert!(other_type.contains("x-amz-checksum-sha256"), "{other_type}");
    let advice = "must be those declared for this file; send the headers of its item in the job.";
    assert!(other_type.contains(advice), "{other_type}");
    assert!(
        !other_type.contains(&crate::support::sha256(PHOTO)),
        "{other_type}"
    );

    let url = server.presign_photo("length", PHOTO).await;
    let longer = [PHOTO, b"!"].concat();
    let response = send_presigned(&server, &url, &longer, |headers| {
        headers.remove("content-length");
    });
    let other_length = message(&response.await.text().await.unwrap());
    assert!(
        other_length.contains("content-length &quot;20&quot;"),
        "{other_length}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_is_named_as_the_cause() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("chunked", PHOTO).await;
    let head = request_head(&server, &url, "transfer-encoding: chunked\r\n");
    let (before, rest) = head.split_once("content-length: ").unwrap();
    let head = before.to_owned() + rest.split_once("\r\n").unwrap().1;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, head + "13\r\nnot much of a photo\r\n0\r\n\r\n").await;
    let message = message(&read_response(&mut stream).await);
    assert!(
        message.contains("lacks signed headers: content-length (the body is chunked"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_host_is_named_with_the_expected_one() {
    let server = StorageServer::with_config(|config| config.hosts = vec!["photos.example".to_owned()]).await;
    let message = rejected(&server, "host", |headers| {
        headers.insert("host".to_owned(), "backend:9000".to_owned());
    })
    .await;
    assert!(
        message.contains("host is different: it is &quot;backend:9000&quot;")
            && message.contains("photos.example"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_operation_and_outcome() {
    let metrics = process::metrics();
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    assert!(server.get("absent").await.is_none());
    server
        .http
        .post(format!("http://{}/photos", server.address))
        .send()
        .await
        .unwrap();
    let text = metrics.render();
    for series in [
        r#"storage_requests_total{operation="put_object",outcome="success"}"#,
        r#"storage_requests_total{operation="get_object",outcome="not_found"}"#,
        r#"storage_requests_total{operation="other",outcome="refused"}"#,
    ] {
        let value = text.lines().find_map(|line| line.strip_prefix(series));
        assert!(value.is_some_and(|value| value != " 0"), "{series} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_origin_is_logged_once_with_the_setting_to_change() {
    let log = process::log();
    let server = StorageServer::start().await;
    for _ in 0..3 {
        server
            .http
            .put(format!("http://{}/photos/k", server.address))
            .header("origin", "https://forgotten.example")
            .send()
            .await
            .unwrap();
    }
    let text = log.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("https://forgotten.example"))
        .collect();
    let [line] = lines.as_slice() else {
        panic!("one line: {lines:?}")
    };
    assert!(
        line.contains("WARN") && line.contains("server.allowed_origins"),
        "{line}"
    );
}
