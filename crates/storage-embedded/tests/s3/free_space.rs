use crate::support::{
    BUCKET, StorageServer, read_response, request_head, send_bytes, send_presigned, valid_presigning,
};

const PHOTO: &[u8] = b"not much of a photo";

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_clients_leave_the_reserved_space_free_and_those_of_workers_may_use_it() {
    let server = StorageServer::with_config(|config| config.min_free_bytes = u64::MAX / 2).await;
    let url = server.presign_photo("k", PHOTO).await;
    let refused = send_presigned(&server, &url, PHOTO, |_| {}).await;
    assert_eq!(refused.status(), 507);
    let body = refused.text().await.unwrap();
    assert!(body.contains("<Code>InsufficientStorage</Code>"), "{body}");
    server.put("thumbnail", "small").await;
    assert_eq!(server.get("thumbnail").await.unwrap(), b"small");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_the_same_time_leave_the_reserved_space_free_together() {
    let file_system = rustix::fs::statvfs(std::env::temp_dir()).unwrap();
    let half = file_system.f_bavail * file_system.f_frsize / 2;
    let server = StorageServer::with_config(|config| {
        config.min_free_bytes = half;
        config.max_object_bytes = u64::MAX / 2;
    })
    .await;
    // Two of them don't fit into the other half.
    let size = i64::try_from(half / 10 * 6).unwrap();
    let begin = async |key: &str| {
        let request = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .content_length(size);
        let request = request.if_none_match("*").presigned(valid_presigning());
        let head = request_head(&server, &request.await.unwrap(), "");
        let mut stream = server.connect().await;
        send_bytes(&mut stream, head).await;
        stream
    };
    let first = begin("first").await;
    server.wait_for_incoming().await;
    let refused = read_response(&mut begin("second").await).await;
    assert!(refused.starts_with("HTTP/1.1 507"), "{refused}");
    assert_eq!(server.incoming().len(), 1);
    drop(first);
    server.wait_for_no_incoming().await;
    let _third = begin("third").await;
    server.wait_for_incoming().await;
}
