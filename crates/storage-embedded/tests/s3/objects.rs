use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ChecksumMode;

use crate::support::{
    BUCKET, FixedClock, StorageServer, etag, quoted, sdk_config, send_presigned, sha256, valid_presigning,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_returned_as_it_was_uploaded() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .content_type("image/jpeg")
        .cache_control("private, max-age=60")
        .content_disposition("inline")
        .metadata("origin", "test")
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();
    let etag = quoted(&etag(b"meow"));
    assert_eq!(put.e_tag(), Some(etag.as_str()));

    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some(etag.as_str()));
    assert_eq!(head.content_length(), Some(4));
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.cache_control(), Some("private, max-age=60"));
    assert_eq!(head.content_disposition(), Some("inline"));
    assert_eq!(head.checksum_sha256(), Some(sha256(b"meow").as_str()));
    assert_eq!(
        head.last_modified(),
        Some(&DateTime::from_secs(FixedClock::NOW.timestamp()))
    );
    assert_eq!(head.metadata().unwrap()["origin"], "test");

    // The SDK verifies the checksum of the data it reads.
    let object = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("users/1/cat.jpg")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(object.checksum_sha256(), Some(sha256(b"meow").as_str()));
    assert_eq!(object.content_type(), Some("image/jpeg"));
    assert_eq!(object.accept_ranges(), Some("bytes"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_is_idempotent() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    for _ in 0..2 {
        let url = server
            .client
            .delete_object()
            .bucket(BUCKET)
            .key("k")
            .presigned(valid_presigning())
            .await
            .unwrap();
        assert_eq!(send_presigned(&server, &url, b"", |_| {}).await.status(), 204);
        assert_eq!(server.get("k").await, None);
    }
    let missing = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap_err();
    assert!(missing.into_service_error().is_not_found());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_survive_a_restart() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_type("image/jpeg")
        .metadata("a", "b");
    put.body(b"meow".to_vec().into()).send().await.unwrap();
    let before = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();

    let server = server.restart().await;
    assert_eq!(server.get("k").await.unwrap(), b"meow");
    let after = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(after.e_tag(), before.e_tag());
    assert_eq!(after.content_type(), Some("image/jpeg"));
    assert_eq!(after.last_modified(), before.last_modified());
    assert_eq!(after.metadata(), before.metadata());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_is_stored_unchanged() {
    let server = StorageServer::start().await;
    let body: Vec<u8> = (0..9_000_001_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(body.clone().into())
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some(quoted(&etag(&body)).as_str()));
    assert!(server.get("k").await.unwrap() == body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sdk_with_default_checksum_settings_can_upload() {
    let server = StorageServer::start().await;
    let config = sdk_config(server.address)
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenSupported);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(b"meow".to_vec().into())
        .send()
        .await
        .unwrap();

    // For a streamed body the SDK sends chunks with the checksum in a trailer.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 300_000]).unwrap();
    let stream = aws_sdk_s3::primitives::ByteStream::read_from()
        .path(file.path())
        .build()
        .await
        .unwrap();
    client
        .put_object()
        .bucket(BUCKET)
        .key("chunks")
        .body(stream)
        .send()
        .await
        .unwrap();
    assert_eq!(server.get("k").await.unwrap(), b"meow");
    assert!(server.get("chunks").await.unwrap() == vec![7; 300_000]);
}
