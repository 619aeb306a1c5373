use crate::support::{BUCKET, StorageServer, send_presigned, valid_presigning};

#[tokio::test(flavor = "multi_thread")]
async fn other_buckets_do_not_exist() {
    let server = StorageServer::start().await;
    let bucket = server.client.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(bucket.bucket_region(), Some("eu-west-1"));
    assert!(
        server
            .client
            .head_bucket()
            .bucket("other")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found()
    );
    let put = server
        .client
        .put_object()
        .bucket("other")
        .key("k")
        .body(b"meow".to_vec().into())
        .send()
        .await;
    assert_eq!(
        put.unwrap_err().into_service_error().meta().code(),
        Some("NoSuchBucket")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_operations_are_not_implemented() {
    let server = StorageServer::start().await;
    let create = server
        .client
        .create_bucket()
        .bucket("other")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let versions = server
        .client
        .list_object_versions()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let attributes = server
        .client
        .get_object_attributes()
        .bucket(BUCKET)
        .key("k")
        .object_attributes(aws_sdk_s3::types::ObjectAttributes::ObjectSize)
        .send()
        .await
        .unwrap_err();
    let tag = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .tagging("a=b")
        .send()
        .await
        .unwrap_err();
    assert_eq!(create.meta().code(), Some("NotImplemented"));
    assert_eq!(versions.meta().code(), Some("NotImplemented"));
    assert_eq!(
        attributes.into_service_error().meta().code(),
        Some("NotImplemented")
    );
    assert_eq!(tag.into_service_error().meta().code(), Some("NotImplemented"));

    for path in ["", "/k?uploads", "/k?uploadId=1", "?delete"] {
        let form = server
            .http
            .post(format!("http://{}/{BUCKET}{path}", server.address))
            .header("content-type", "multipart/form-data; boundary=b")
            .body("--b--")
            .send()
            .await
            .unwrap();
        assert_eq!(form.status(), 501, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_forbids_sniffing_and_has_a_request_id() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(8)
        .presigned(valid_presigning())
        .await
        .unwrap();
    assert_eq!(
        send_presigned(&server, &put, b"<script>", |_| {}).await.status(),
        200
    );
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(valid_presigning())
        .await
        .unwrap();
    let found = server.http.get(url.uri()).send().await.unwrap();
    let rejected = server
        .http
        .get(format!("http://{}/{BUCKET}/k", server.address))
        .send()
        .await
        .unwrap();
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, format!("http://{}/", server.address))
        .send()
        .await
        .unwrap();
    assert_eq!(found.status(), 200);
    assert_eq!(found.headers()["content-type"], "binary/octet-stream");
    assert_eq!(rejected.status(), 403);
    for response in [found, rejected, preflight] {
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(
            response.headers()["content-security-policy"],
            "default-src 'none'; sandbox"
        );
        assert_eq!(response.headers()["x-amz-request-id"].len(), 32);
    }
}
