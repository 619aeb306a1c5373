use crate::support::{BUCKET, StorageServer, request_head, send_bytes, valid_presigning};

#[tokio::test(flavor = "multi_thread")]
async fn different_keys_are_different_objects() {
    let server = StorageServer::start().await;
    let keys = [
        "a/b",
        "a//b",
        "/a/b",
        "a/b/",
        "a",
        "A",
        "ä",
        "a\u{308}",
        "a b",
        "a+b",
        "a%20b",
        "a%2Fb",
        "a\\b",
        ".",
        "a/./b",
        "..",
        "../up",
        "../../../../etc/passwd",
        "a/../b",
        "写真/猫.jpg",
        "🐈",
        "a?b",
        "a#b",
        "a&b=c",
        "a:b",
        "~a",
        "*",
        "a\tb",
        "'\"<>",
    ];
    for key in keys {
        let body = format!("the object {key}").into_bytes();
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .if_none_match("*")
            .body(body.into());
        put.send()
            .await
            .unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
    }
    for key in keys {
        assert_eq!(
            server.get(key).await.unwrap(),
            format!("the object {key}").into_bytes(),
            "{key:?}"
        );
    }
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("a//b")
        .send()
        .await
        .unwrap();
    assert!(server.get("a/b").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn presigned_urls_work_for_any_key() {
    let server = StorageServer::start().await;
    for key in ["a//b", "写真/猫 1.jpg", "a+b%20c", "(a)!*'~.jpg"] {
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .content_length(2);
        let put = put.presigned(valid_presigning()).await.unwrap();
        let mut stream = server.connect().await;
        send_bytes(&mut stream, request_head(&server, &put, "") + "ok").await;
        assert!(
            crate::support::read_response(&mut stream)
                .await
                .starts_with("HTTP/1.1 200"),
            "{key:?}"
        );
        assert_eq!(server.get(key).await.unwrap(), b"ok");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_at_most_1024_bytes() {
    let server = StorageServer::start().await;
    let longest = "ü/".repeat(341) + "z";
    assert_eq!(longest.len(), 1024);
    server
        .client
        .put_object()
        .bucket(BUCKET)
        .key(&longest)
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(server.get(&longest).await.unwrap(), b"meow");

    let longer = longest + "z";
    let rejected = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key(longer)
        .body(b"meow".to_vec().into())
        .send()
        .await;
    assert_eq!(
        rejected.unwrap_err().into_service_error().meta().code(),
        Some("KeyTooLongError")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_key_in_escaped_form_fits_into_the_record() {
    let server = StorageServer::start().await;
    // Each of these characters takes six bytes in JSON.
    let key = "\u{1}".repeat(1024);
    server
        .client
        .put_object()
        .bucket(BUCKET)
        .key(&key)
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(server.get(&key).await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_outside_the_bucket() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    for path in [
        "/photos/../photos/k",
        "/../../etc/passwd",
        "/photos/%2e%2e/%2e%2e/layout",
        "/photos/%00",
        "/%ff",
    ] {
        let mut stream = server.connect().await;
        send_bytes(
            &mut stream,
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let response = crate::support::read_response(&mut stream).await;
        assert!(response.starts_with("HTTP/1.1 4"), "{path}: {response}");
    }
}
