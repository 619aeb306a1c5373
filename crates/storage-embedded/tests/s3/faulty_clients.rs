use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{
    BUCKET, StorageServer, TEST_TIMEOUT, read_response, request_head, send_bytes, valid_presigning,
};

const PHOTO: &[u8] = &[7; 3 * 1024 * 1024];

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_a_client_that_disconnects_is_removed() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    for size in [0, 1, 1_000_000, PHOTO.len() - 1] {
        let mut stream = server.connect().await;
        send_bytes(&mut stream, request_head(&server, &url, "")).await;
        send_bytes(&mut stream, &PHOTO[..size]).await;
        server.wait_for_incoming().await;
        drop(stream);
        server.wait_for_no_incoming().await;
    }
    assert_eq!(server.get("k").await, None);
    assert!(server.notifications.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_is_rejected() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &PHOTO[..1_000_000]).await;
    stream.shutdown().await.unwrap();
    let rejected = read_response(&mut stream).await;
    assert!(
        rejected.is_empty() || rejected.starts_with("HTTP/1.1 400"),
        "{rejected}"
    );
    server.wait_for_no_incoming().await;
    assert_eq!(server.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_times_out() {
    let idle = Duration::from_secs(2);
    let server = StorageServer::with_config(|config| config.idle_timeout = idle).await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    let start = Instant::now();
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &PHOTO[..1_000_000]).await;
    let rejected = read_response(&mut stream).await;
    assert!(
        rejected.starts_with("HTTP/1.1 400") && rejected.contains("<Code>RequestTimeout</Code>"),
        "{rejected}"
    );
    assert!(start.elapsed() >= idle);
    server.wait_for_no_incoming().await;
    assert_eq!(server.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_but_steady_body_is_stored() {
    let server = StorageServer::with_config(|config| {
        config.idle_timeout = Duration::from_secs(5);
        config.min_upload_bytes_per_second = 1;
    })
    .await;
    let url = server.presign_photo("k", b"slowly!").await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    // Altogether longer than the idle time-out.
    for byte in b"slowly!" {
        sleep(Duration::from_secs(1)).await;
        send_bytes(&mut stream, [*byte]).await;
    }
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_slower_than_the_minimum_rate_is_rejected() {
    let server = StorageServer::with_config(|config| {
        config.idle_timeout = Duration::from_secs(2);
        config.min_upload_bytes_per_second = PHOTO.len() as u64;
    })
    .await;
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    let (mut reader, mut writer) = stream.into_split();
    // Never idle, and finished after months.
    let trickle = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer);
    // The connection may end with a reset, because the client still sends.
    let _ = tokio::time::timeout(TEST_TIMEOUT, read)
        .await
        .expect("the upload ends");
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("slower than the minimum rate"),
        "{answer}"
    );
    trickle.abort();
    server.wait_for_no_incoming().await;
    assert_eq!(server.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_becomes_slower_than_the_minimum_rate_is_rejected_however_long_it_is() {
    let server = StorageServer::with_config(|config| {
        config.idle_timeout = Duration::from_secs(2);
        config.min_upload_bytes_per_second = 10_000;
    })
    .await;
    // 3 MiB at the minimum rate take five minutes.
    let url = server.presign_photo("k", PHOTO).await;
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "")).await;
    send_bytes(&mut stream, &PHOTO[..1_000_000]).await;
    let (mut reader, mut writer) = stream.into_split();
    let trickle = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = Vec::new();
    // The connection may end with a reset, because the client still sends.
    let _ = timeout(TEST_TIMEOUT, reader.read_to_end(&mut answer))
        .await
        .expect("the upload ends");
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("slower than the minimum rate"), "{answer}");
    trickle.abort();
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_times_out() {
    let head_timeout = Duration::from_millis(300);
    let server = StorageServer::with_limits(|_, limits| limits.head_timeout = head_timeout).await;
    let ended = async |stream: &mut TcpStream| {
        let mut rest = Vec::new();
        let _ = timeout(TEST_TIMEOUT, stream.read_to_end(&mut rest))
            .await
            .expect("the connection ends");
        assert_eq!(rest, b"");
    };
    let mut stream = server.connect().await;
    send_bytes(&mut stream, "GET /photos/k HTTP/1.1\r\nhost: ").await;
    ended(&mut stream).await;
    // The second head of a connection has no more time than its first.
    let mut stream = server.connect().await;
    send_bytes(&mut stream, "OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 400"));
    send_bytes(&mut stream, "GET /photos/k HTTP/1.1\r\nhost: ").await;
    ended(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_loses_its_connection() {
    let server = StorageServer::with_limits(|_, limits| {
        limits.stall_timeout = Duration::from_secs(2);
        limits.max_connections = 1;
    })
    .await;
    let body = vec![7; 30 * 1024 * 1024];
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(body.into())
        .customize();
    put.mutate_request(|request| drop(request.headers_mut().insert("connection", "close")))
        .send()
        .await
        .unwrap();
    let url = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(valid_presigning())
        .await
        .unwrap();
    let options = async || {
        let mut next = server.connect().await;
        // A refused connection may be closed before anything is sent.
        let _ = next
            .write_all(b"OPTIONS / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await;
        let mut response = String::new();
        let _ = next.read_to_string(&mut response).await;
        response
    };
    let available = async || {
        while !options().await.starts_with("HTTP/1.1 400") {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TEST_TIMEOUT, available())
        .await
        .expect("the uploading connection is closed");
    let mut unread = server.connect().await;
    send_bytes(&mut unread, request_head(&server, &url, "")).await;
    assert_eq!(options().await, "", "the only connection is in use");
    // It is available again although its client is still connected.
    timeout(TEST_TIMEOUT, available())
        .await
        .expect("the connection is closed");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_http_affects_only_its_own_connection() {
    let server = StorageServer::start().await;
    let oversized = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024)).into_bytes();
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        vec![0; 10_000],
        oversized,
    ] {
        let mut stream = server.connect().await;
        let _ = stream.write_all(&garbage).await;
        let _ = stream.shutdown().await;
    }
    server.put("k", "meow").await;
    assert!(server.get("k").await.is_some());
}
