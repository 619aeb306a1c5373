//! Interpretation of a store's responses, sent by a scripted server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

mod support;

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures::TryStreamExt as _;
use rapidphoto_application::ports::{GetError, ObjectStore, Unavailable};
use rapidphoto_domain::values::{Checksum, ETag};
use rapidphoto_storage_s3::{S3Config, S3Timeouts};
use support::{config, request_head, store, store_at, store_responding};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpSocket},
};

fn etag() -> ETag {
    ETag::parse("tag").unwrap()
}

fn chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        source = error.source();
    }
    chain
}

#[tokio::test]
async fn head_returns_size_type_etag_and_checksum() {
    let (store, mut heads) = store_responding(
        "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Type: image/jpeg\nETag: \"abc\"\n\
         x-amz-checksum-sha256: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\
         x-amz-checksum-type: FULL_OBJECT\n\n",
    )
    .await;
    let head = store.head("a/b").await.unwrap().unwrap();
    assert_eq!(head.e_tag, ETag::parse("abc").unwrap());
    assert_eq!(head.bytes, 5);
    assert_eq!(head.content_type.as_deref(), Some("image/jpeg"));
    assert_eq!(head.checksum, Some(Checksum::from_bytes([7; 32])));
    let request = heads.recv().await.unwrap();
    assert!(request.starts_with("HEAD /photos/a/b "), "{request}");
    assert!(request.contains("x-amz-checksum-mode: ENABLED"), "{request}");
}

#[tokio::test]
async fn a_composite_checksum_is_ignored() {
    let responses = [
        "HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"abc-2\"\n\
         x-amz-checksum-sha256: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=-2\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"abc-2\"\nx-amz-checksum-type: COMPOSITE\n\
         x-amz-checksum-sha256: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n",
    ];
    for response in responses {
        let (store, _heads) = store_responding(response).await;
        assert_eq!(store.head("a").await.unwrap().unwrap().checksum, None);
    }
}

#[tokio::test]
async fn a_missing_object_is_no_error_for_head_and_delete() {
    let (store, _heads) = store_responding("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n").await;
    assert_eq!(store.head("a").await.unwrap(), None);
    store.delete("a").await.unwrap();
    assert!(matches!(store.get("a", &etag()).await, Err(GetError::Missing)));
    assert!(store.check().await.is_err(), "a missing bucket is an error");
}

#[tokio::test]
async fn a_missing_bucket_is_not_a_missing_object() {
    let (store, _heads) = store_responding(
        "HTTP/1.1 404 Not Found\nContent-Type: application/xml\nContent-Length: 68\n\n\
         <Error><Code>NoSuchBucket</Code><Message>gone away</Message></Error>",
    )
    .await;
    assert!(matches!(
        store.get("a", &etag()).await,
        Err(GetError::Unavailable(_))
    ));
    assert!(store.delete("a").await.is_err());
}

#[tokio::test]
async fn get_requires_the_etag_and_detects_another() {
    let (store, mut heads) =
        store_responding("HTTP/1.1 412 Precondition Failed\nContent-Length: 0\n\n").await;
    assert!(matches!(store.get("a", &etag()).await, Err(GetError::Changed)));
    let request = heads.recv().await.unwrap();
    assert!(request.contains("if-match: \"tag\""), "{request}");

    let (store, _heads) = store_responding("HTTP/1.1 200 OK\nContent-Length: 2\nETag: \"other\"\n\nhi").await;
    assert!(
        matches!(store.get("a", &etag()).await, Err(GetError::Changed)),
        "even if the store ignores the condition"
    );
}

#[tokio::test]
async fn a_body_is_complete_or_an_error() {
    let (store, _heads) =
        store_responding("HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"tag\"\n\nhello").await;
    let body = store.get("a", &etag()).await.unwrap();
    assert_eq!(body.bytes, 5);
    let chunks: Vec<Bytes> = body.stream.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"hello");

    let (store, _heads) =
        store_responding("HTTP/1.1 200 OK\nContent-Length: 50\nETag: \"tag\"\n\nhello").await;
    let body = store.get("a", &etag()).await.unwrap();
    let truncated: Result<Vec<Bytes>, Unavailable> = body.stream.try_collect().await;
    assert!(truncated.is_err());
}

#[tokio::test]
async fn responses_without_an_etag_are_errors() {
    let (store, _heads) = store_responding("HTTP/1.1 200 OK\nContent-Length: 5\n\n").await;
    assert!(chain(&store.head("a").await.unwrap_err()).contains("entity tag"));
    assert!(matches!(
        store.get("a", &etag()).await,
        Err(GetError::Unavailable(_))
    ));
}

#[tokio::test]
async fn an_error_response_is_reported_with_its_code() {
    let (store, _heads) = store_responding(
        "HTTP/1.1 403 Forbidden\nContent-Type: application/xml\nContent-Length: 68\n\n\
         <Error><Code>AccessDenied</Code><Message>not yours</Message></Error>",
    )
    .await;
    let GetError::Unavailable(error) = store.get("a", &etag()).await.unwrap_err() else {
        panic!("a rejected request is not a missing object");
    };
    let chain = chain(&error);
    assert!(chain.starts_with("object storage can't be reached: "), "{chain}");
    assert!(chain.contains("AccessDenied"), "{chain}");
    assert!(store.put("a", Bytes::new(), "image/jpeg").await.is_err());
}

#[tokio::test]
async fn an_unreachable_store_is_unavailable() {
    // Bound for the duration of the test, so that no other process gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let error = store_at(endpoint).check().await.unwrap_err();
    assert!(chain(&error).contains("onnect"), "{}", chain(&error));
    drop(socket);
}

#[tokio::test]
async fn a_stalled_body_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeouts = S3Timeouts {
        stall: Duration::from_secs(1),
        ..S3Timeouts::default()
    };
    let stalling = store(&S3Config {
        timeouts,
        ..config(format!("http://{}", listener.local_addr().unwrap()))
    });
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request_head(&mut stream).await;
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nETag: \"tag\"\r\n\r\nhello";
        stream.write_all(response).await.unwrap();
        stream
    });
    let body = stalling.get("a", &etag()).await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(30), body.stream.try_collect::<Vec<Bytes>>()).await;
    assert!(read.expect("the body times out").is_err());
    drop(server.await.unwrap());
}
