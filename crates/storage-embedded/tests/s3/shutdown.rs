use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::{StorageServer, TEST_TIMEOUT, read_response, request_head, send_bytes};

const PHOTO: &[u8] = &[7; 2 * 1024 * 1024];

#[tokio::test(flavor = "multi_thread")]
async fn an_open_upload_finishes_during_the_shutdown() {
    // The end of the upload ends the shutdown, not the grace period.
    let server = StorageServer::with_config(|config| config.shutdown_grace = Duration::from_hours(1)).await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut idle = server.connect().await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &PHOTO[..1_000_000]).await;
    server.wait_for_incoming().await;

    let (address, notifications) = (server.address, std::sync::Arc::clone(&server.notifications));
    let (shutdown, _root) = server.begin_shutdown();
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), closed)
        .await
        .expect("no new connections are accepted");
    assert_eq!(read_response(&mut idle).await, "", "idle connections are closed");
    sleep(Duration::from_millis(200)).await;
    assert!(!shutdown.is_finished());

    send_bytes(&mut stream, &PHOTO[1_000_000..]).await;
    let stored = read_response(&mut stream).await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    timeout(TEST_TIMEOUT, shutdown)
        .await
        .expect("the store stops")
        .unwrap();
    assert_eq!(notifications.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_never_ends_does_not_block_the_shutdown() {
    let server =
        StorageServer::with_config(|config| config.shutdown_grace = Duration::from_millis(200)).await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &PHOTO[..1_000_000]).await;
    server.wait_for_incoming().await;
    timeout(TEST_TIMEOUT, server.restart())
        .await
        .expect("the store stops")
        .wait_for_no_incoming()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_finishes_when_its_client_disconnects_after_the_last_byte() {
    let server = StorageServer::start().await;
    server.notifications.pause();
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, PHOTO).await;
    // The client disconnects after the object is stored and before its notification is processed.
    let stored = async {
        while server.get("k").await.is_none() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TEST_TIMEOUT, stored).await.expect("the object is stored");
    drop(stream);
    let notifications = std::sync::Arc::clone(&server.notifications);
    let (shutdown, _root) = server.begin_shutdown();
    // Time for the store to notice the disconnection.
    sleep(Duration::from_millis(500)).await;
    assert!(!shutdown.is_finished(), "the shutdown waits for the notification");
    notifications.resume();
    shutdown.await.unwrap();
    assert_eq!(notifications.received().len(), 1);
}
