use crate::support::{StorageServer, read_response, request_head, send_bytes, send_presigned};

const PHOTO: &[u8] = b"not much of a photo";

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_upload_replaces_one_that_is_not_received() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut older = server.connect().await;
    send_bytes(&mut older, request_head(&server, &url, "")).await;
    send_bytes(&mut older, &PHOTO[..5]).await;
    server.wait_for_incoming().await;

    assert_eq!(send_presigned(&server, &url, PHOTO, |_| {}).await.status(), 200);
    let answer = read_response(&mut older).await;
    assert!(
        answer.starts_with("HTTP/1.1 409") && answer.contains("<Code>OperationAborted</Code>"),
        "{answer}"
    );
    // Its connection is closed, although its client still waits to send.
    assert_eq!(read_response(&mut older).await, "");
    server.wait_for_no_incoming().await;
    assert_eq!(server.get("k").await.unwrap(), PHOTO);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_other_keys_are_received_side_by_side() {
    let server = StorageServer::start().await;
    let urls = [
        server.presign_photo("a", PHOTO).await,
        server.presign_photo("b", PHOTO).await,
    ];
    let mut streams = Vec::new();
    for url in &urls {
        let mut stream = server.connect().await;
        send_bytes(&mut stream, request_head(&server, url, "")).await;
        send_bytes(&mut stream, &PHOTO[..5]).await;
        streams.push(stream);
    }
    for mut stream in streams {
        send_bytes(&mut stream, &PHOTO[5..]).await;
        assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}
