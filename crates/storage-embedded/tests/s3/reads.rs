use crate::support::{BUCKET, StorageServer, etag, valid_presigning};

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_is_returned_only_on_request() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(valid_presigning())
        .await
        .unwrap();
    let response = server.http.get(url.uri()).send().await.unwrap();
    let requested = url.headers().any(|(name, _)| name == "x-amz-checksum-mode");
    assert!(!requested && !response.headers().contains_key("x-amz-checksum-sha256"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_count_from_the_start_or_the_end() {
    let server = StorageServer::start().await;
    server.put("k", "0123456789").await;
    for (range, expected, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-500", "56789", "bytes 5-9/10"),
        ("bytes=-500", "0123456789", "bytes 0-9/10"),
    ] {
        let object = server
            .client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .range(range)
            .send()
            .await
            .unwrap();
        assert_eq!(object.content_range(), Some(content_range), "{range}");
        assert_eq!(
            object.content_length(),
            Some(i64::try_from(expected.len()).unwrap())
        );
        assert_eq!(
            object.checksum_sha256(),
            None,
            "the checksum is that of the whole object"
        );
        assert_eq!(
            object.body.collect().await.unwrap().to_vec(),
            expected.as_bytes(),
            "{range}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_beyond_the_end_is_416_with_the_size() {
    let server = StorageServer::start().await;
    server.put("k", "0123456789").await;
    server.put("empty", "").await;
    for (key, range, size) in [
        ("k", "bytes=10-", "bytes */10"),
        ("empty", "bytes=0-", "bytes */0"),
    ] {
        let url = server
            .client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(valid_presigning())
            .await
            .unwrap();
        let response = server
            .http
            .get(url.uri())
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 416);
        assert_eq!(response.headers()["content-range"], size);
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("<Code>InvalidRange</Code>")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_range_returns_the_range_only_of_the_same_object() {
    let server = StorageServer::start().await;
    server.put("k", "0123456789").await;
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(valid_presigning())
        .await
        .unwrap();
    for (etag, status) in [(etag(b"0123456789"), 206), (etag(b"other"), 200)] {
        let request = server
            .http
            .get(url.uri())
            .header("range", "bytes=4-")
            .header("if-range", format!("\"{etag}\""));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditional_reads_compare_etags() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    let (same, other) = (format!("\"{}\"", etag(b"meow")), format!("\"{}\"", etag(b"woof")));

    let get = || server.client.get_object().bucket(BUCKET).key("k");
    let head = || server.client.head_object().bucket(BUCKET).key("k");
    get().if_match(&same).send().await.unwrap();
    head().if_match(&same).send().await.unwrap();
    let rejected = get().if_match(&other).send().await.unwrap_err();
    assert_eq!(rejected.raw_response().unwrap().status().as_u16(), 412);
    let rejected = head().if_match(&other).send().await.unwrap_err();
    assert_eq!(rejected.raw_response().unwrap().status().as_u16(), 412);

    let not_modified = get().if_none_match(&same).send().await.unwrap_err();
    assert_eq!(not_modified.raw_response().unwrap().status().as_u16(), 304);
    assert_eq!(
        not_modified.raw_response().unwrap().headers().get("etag"),
        Some(same.as_str())
    );
    get().if_none_match(&other).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_can_override_response_headers() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    let disposition = "attachment; filename=\"cat.jpg\"; filename*=UTF-8''k%C3%A4tzchen.jpg";
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .response_content_disposition(disposition)
        .response_content_type("image/jpeg")
        .presigned(valid_presigning())
        .await
        .unwrap();
    let response = server.http.get(url.uri()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response
            .headers()
            .get_all("content-disposition")
            .iter()
            .collect::<Vec<_>>(),
        [disposition]
    );
    assert_eq!(
        response
            .headers()
            .get_all("content-type")
            .iter()
            .collect::<Vec<_>>(),
        ["image/jpeg"]
    );

    let altered = url.uri().replace("cat.jpg", "dog.exe");
    assert_ne!(altered, url.uri());
    assert_eq!(server.http.get(altered).send().await.unwrap().status(), 403);
}
