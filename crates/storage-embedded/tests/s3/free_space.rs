use crate::support::{StorageServer, send_presigned};

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
