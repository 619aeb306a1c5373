use std::{net::Ipv4Addr, time::Duration};

use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::server::TestServer;

/// A connection from an address of its own.
async fn connect(app: &TestServer, source: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(source), 0).into()).unwrap();
    socket.connect(app.address).await.unwrap()
}

/// Reads a response of this status.
async fn read_response(stream: &mut TcpStream, status: u16) {
    let mut response = Vec::new();
    while !response.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = timeout(TEST_TIMEOUT, stream.read_buf(&mut response))
            .await
            .unwrap();
        assert_ne!(read.unwrap(), 0, "{}", String::from_utf8_lossy(&response));
    }
    assert!(response.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
}

/// Waits until the server closes the connection, and returns the number of bytes until then.
async fn closed(stream: &mut TcpStream) -> usize {
    let reading = async {
        let (mut bytes, mut buffer) = (0, vec![0; 64 * 1024]);
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            bytes += read;
        }
        bytes
    };
    timeout(TEST_TIMEOUT, reading)
        .await
        .expect("the connection is closed")
}

#[tokio::test]
async fn every_head_of_a_connection_has_its_time() {
    let app = TestServer::with(|parts| parts.limits.head_timeout = Duration::from_secs(1)).await;
    let mut stream = connect(&app, [127, 0, 0, 1]).await;
    for _ in 0..2 {
        // No body, so that nothing but the head follows.
        stream
            .write_all(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        read_response(&mut stream, 200).await;
    }
    let mut trickling = stream;
    let trickle = async {
        for byte in b"GET /healthz HTTP/1.1\r\nX: ".iter().chain(&[b'x'; 10_000]) {
            if trickling.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(TEST_TIMEOUT, trickle)
        .await
        .expect("the connection is closed");
}

#[tokio::test]
async fn idle_connections_end_and_streams_do_not() {
    let app = TestServer::with(|parts| {
        parts.limits.idle_timeout = Duration::from_secs(1);
        parts.config.heartbeat = Duration::from_secs(4);
    })
    .await;
    let token = app.user("ada").await;
    let mut stream = connect(&app, [127, 0, 0, 1]).await;
    let request = format!("GET /queries/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_response(&mut stream, 200).await;
    let mut idle = connect(&app, [127, 0, 0, 1]).await;
    idle.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    read_response(&mut idle, 200).await;
    assert_eq!(closed(&mut idle).await, 0);
    // A heartbeat after a multiple of the idle time-out.
    let mut received = String::new();
    while !received.contains("\n:") {
        let read = timeout(TEST_TIMEOUT, stream.read_u8()).await.unwrap();
        received.push(read.expect("the stream goes on").into());
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let app = TestServer::with(|parts| parts.limits.stall_timeout = Duration::from_secs(1)).await;
    let path = "/docs/swagger-ui-bundle.js";
    let size = app.get(path).expect_status(200).await.body.len();
    let mut stream = connect(&app, [127, 0, 0, 1]).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let metric = "connections_closed_total{listener=\"api\",reason=\"slow_reader\"}";
    let counted = async {
        loop {
            let metrics = app.get("/metrics").expect_status(200).await.text();
            let value = metrics.lines().find_map(|line| line.strip_prefix(metric));
            if value.is_some_and(|value| value.trim() != "0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(TEST_TIMEOUT, counted)
        .await
        .expect("the connection is closed and counted");
    let received = closed(&mut stream).await;
    assert!(received < size, "{received} of {size} bytes");
}

#[tokio::test]
async fn an_address_has_a_share_of_the_connections() {
    let app = TestServer::with(|parts| {
        parts.limits.max_connections = 12;
        parts.limits.max_connections_per_address = 8;
    })
    .await;
    let mut hoarded = Vec::new();
    for source in [2, 3] {
        for _ in 0..20 {
            hoarded.push(connect(&app, [127, 0, 0, source]).await);
        }
    }
    // From 127.0.0.1, in turn on new connections and on one that is kept.
    for _ in 0..5 {
        app.get("/healthz").expect_status(200).await;
        let mut stream = connect(&app, [127, 0, 0, 1]).await;
        stream
            .write_all(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        read_response(&mut stream, 200).await;
    }
}

#[tokio::test]
async fn pages_have_a_policy_and_only_tls_is_announced_as_such() {
    for https in [false, true] {
        let app = TestServer::with(|parts| parts.config.https = https).await;
        for path in ["/docs/", "/docs/swagger-ui.css", "/healthz", "/openapi.json"] {
            let response = app.get(path).expect_status(200).await;
            let policy = response.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
            assert!(!policy.contains("script-src") || !policy.contains("script-src 'unsafe"));
            assert_eq!(response.has("strict-transport-security"), https, "{path}");
        }
    }
}
