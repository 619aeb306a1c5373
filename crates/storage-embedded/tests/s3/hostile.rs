use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, sleep};

use crate::rig::{BUCKET, Rig, answer, head, in_an_hour, write};

const PHOTO: &[u8] = &[7; 3 * 1024 * 1024];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_leaves_nothing() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    for size in [0, 1, 1_000_000, PHOTO.len() - 1] {
        let mut stream = rig.connect().await;
        write(&mut stream, head(&rig, &url, "")).await;
        write(&mut stream, &PHOTO[..size]).await;
        rig.something_arrived().await;
        drop(stream);
        rig.nothing_is_left().await;
    }
    assert_eq!(rig.get("k").await, None);
    assert!(rig.messages.all().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_is_refused() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    stream.shutdown().await.unwrap();
    let refused = answer(&mut stream).await;
    assert!(
        refused.is_empty() || refused.starts_with("HTTP/1.1 400"),
        "{refused}"
    );
    rig.nothing_is_left().await;
    assert_eq!(rig.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_is_dropped() {
    let idle = Duration::from_secs(2);
    let rig = Rig::with(|config| config.idle_timeout = idle).await;
    let url = rig.presign_photo("k", PHOTO).await;
    let mut stream = rig.connect().await;
    let begun = Instant::now();
    write(&mut stream, head(&rig, &url, "")).await;
    write(&mut stream, &PHOTO[..1_000_000]).await;
    let refused = answer(&mut stream).await;
    assert!(
        refused.starts_with("HTTP/1.1 400") && refused.contains("<Code>RequestTimeout</Code>"),
        "{refused}"
    );
    assert!(begun.elapsed() >= idle);
    rig.nothing_is_left().await;
    assert_eq!(rig.get("k").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_slow_but_steady_is_taken() {
    let rig = Rig::with(|config| config.idle_timeout = Duration::from_secs(5)).await;
    let url = rig.presign_photo("k", b"slowly!").await;
    let mut stream = rig.connect().await;
    write(&mut stream, head(&rig, &url, "")).await;
    // Longer than that altogether.
    for byte in b"slowly!" {
        sleep(Duration::from_secs(1)).await;
        write(&mut stream, [*byte]).await;
    }
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_dropped() {
    let rig = Rig::with(|config| config.header_timeout = Duration::from_millis(300)).await;
    let mut stream = rig.connect().await;
    write(&mut stream, "GET /photos/k HTTP/1.1\r\nhost: ").await;
    let gone = answer(&mut stream).await;
    assert!(!gone.starts_with("HTTP/1.1 2"), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_does_not_hold_its_connection() {
    let rig = Rig::with(|config| {
        config.idle_timeout = Duration::from_secs(2);
        config.max_connections = 1;
    })
    .await;
    let body = vec![7; 30 * 1024 * 1024];
    let put = rig
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
    let url = rig
        .client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(in_an_hour())
        .await
        .unwrap();
    let mut deaf = rig.connect().await;
    write(&mut deaf, head(&rig, &url, "")).await;
    // The only connection is free again although its client is still there.
    let mut next = rig.connect().await;
    write(&mut next, "OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer(&mut next).await.starts_with("HTTP/1.1 400"));
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_http_end_their_own_connection_only() {
    let rig = Rig::start().await;
    let monster = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024)).into_bytes();
    for garbage in [b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), vec![0; 10_000], monster] {
        let mut stream = rig.connect().await;
        let _ = stream.write_all(&garbage).await;
        let _ = stream.shutdown().await;
    }
    rig.put("k", "meow").await;
    assert!(rig.get("k").await.is_some());
}
