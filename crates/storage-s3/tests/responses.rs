//! What a store's answers mean, from a server that says whatever a test wants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use rapidphoto_application::ports::{Clock, GetError, ObjectStore, Unavailable};
use rapidphoto_domain::values::{Checksum, ETag};
use rapidphoto_storage_s3::{S3Config, S3Credentials, S3Store, S3Timeouts};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

/// A store at `endpoint` that is tried once.
fn store(endpoint: String) -> S3Store {
    impatient_store(endpoint, S3Timeouts::default())
}

/// A store at `endpoint` that is tried once, and no longer than this.
fn impatient_store(endpoint: String, timeouts: S3Timeouts) -> S3Store {
    let config = S3Config {
        endpoint: Some(endpoint),
        force_path_style: true,
        max_attempts: 1,
        timeouts,
        ..S3Config::new("photos", "us-east-1", S3Credentials::new("key", "secret"))
    };
    S3Store::new(&config, Arc::new(Stopped)).unwrap()
}

/// A store that gives one answer to everything and hands out the heads of the requests that it got.
async fn answering(answer: &'static str) -> (S3Store, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::unbounded_channel();
    // The connection ends with the answer: nobody may wait for more on it, or ask again by it.
    let answer = answer
        .replacen('\n', "\nConnection: close\n", 1)
        .replace('\n', "\r\n");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = request_head(&mut stream).await;
            sender.send(head).unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (store(endpoint), heads)
}

async fn request_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn tag() -> ETag {
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
async fn head_tells_what_the_store_knows() {
    let (store, mut heads) = answering(
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
async fn a_checksum_of_checksums_is_none() {
    let answers = [
        "HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"abc-2\"\n\
         x-amz-checksum-sha256: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=-2\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"abc-2\"\nx-amz-checksum-type: COMPOSITE\n\
         x-amz-checksum-sha256: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n",
    ];
    for answer in answers {
        let (store, _heads) = answering(answer).await;
        assert_eq!(store.head("a").await.unwrap().unwrap().checksum, None);
    }
}

#[tokio::test]
async fn what_is_missing_is_no_error_to_head_and_delete() {
    let (store, _heads) = answering("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n").await;
    assert_eq!(store.head("a").await.unwrap(), None);
    store.delete("a").await.unwrap();
    assert!(matches!(store.get("a", &tag()).await, Err(GetError::Missing)));
    assert!(store.check().await.is_err(), "a bucket that is missing is one");
}

#[tokio::test]
async fn a_missing_bucket_says_nothing_of_its_objects() {
    let (store, _heads) = answering(
        "HTTP/1.1 404 Not Found\nContent-Type: application/xml\nContent-Length: 68\n\n\
         <Error><Code>NoSuchBucket</Code><Message>gone away</Message></Error>",
    )
    .await;
    assert!(matches!(
        store.get("a", &tag()).await,
        Err(GetError::Unavailable(_))
    ));
    assert!(store.delete("a").await.is_err());
}

#[tokio::test]
async fn get_asks_for_one_state_and_knows_another() {
    let (store, mut heads) = answering("HTTP/1.1 412 Precondition Failed\nContent-Length: 0\n\n").await;
    assert!(matches!(store.get("a", &tag()).await, Err(GetError::Changed)));
    let request = heads.recv().await.unwrap();
    assert!(request.contains("if-match: \"tag\""), "{request}");

    let (store, _heads) = answering("HTTP/1.1 200 OK\nContent-Length: 2\nETag: \"other\"\n\nhi").await;
    assert!(
        matches!(store.get("a", &tag()).await, Err(GetError::Changed)),
        "even where the store ignores the condition"
    );
}

#[tokio::test]
async fn a_body_comes_whole_or_ends_in_an_error() {
    let (store, _heads) = answering("HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"tag\"\n\nhello").await;
    let body = store.get("a", &tag()).await.unwrap();
    assert_eq!(body.bytes, 5);
    let pieces: Vec<Bytes> = body.stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"hello");

    let (store, _heads) = answering("HTTP/1.1 200 OK\nContent-Length: 50\nETag: \"tag\"\n\nhello").await;
    let body = store.get("a", &tag()).await.unwrap();
    let cut: Result<Vec<Bytes>, Unavailable> = body.stream.try_collect().await;
    assert!(cut.is_err());
}

#[tokio::test]
async fn answers_that_no_store_should_give_are_refused() {
    let (store, _heads) = answering("HTTP/1.1 200 OK\nContent-Length: 5\n\n").await;
    assert!(chain(&store.head("a").await.unwrap_err()).contains("entity tag"));
    assert!(matches!(
        store.get("a", &tag()).await,
        Err(GetError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    let (store, _heads) = answering(
        "HTTP/1.1 403 Forbidden\nContent-Type: application/xml\nContent-Length: 68\n\n\
         <Error><Code>AccessDenied</Code><Message>not yours</Message></Error>",
    )
    .await;
    let GetError::Unavailable(error) = store.get("a", &tag()).await.unwrap_err() else {
        panic!("a refusal is not an absence");
    };
    let chain = chain(&error);
    assert!(chain.starts_with("object storage can't be reached: "), "{chain}");
    assert!(chain.contains("AccessDenied"), "{chain}");
    assert!(store.put("a", Bytes::new(), "image/jpeg").await.is_err());
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unavailable() {
    // Bound for as long as the test runs, so that nobody else gets the port; but nobody listens there.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let gone = format!("http://{}", socket.local_addr().unwrap());
    let error = store(gone).check().await.unwrap_err();
    assert!(chain(&error).contains("onnect"), "{}", chain(&error));
    drop(socket);
}

#[tokio::test]
async fn a_store_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeouts = S3Timeouts {
        attempt: Duration::from_millis(500),
        operation: Duration::from_hours(1),
        stall: Duration::from_hours(1),
        ..S3Timeouts::default()
    };
    let silent = impatient_store(format!("http://{}", listener.local_addr().unwrap()), timeouts);
    let answered = tokio::time::timeout(Duration::from_mins(1), silent.head("a")).await;
    assert!(answered.expect("its own time-out comes first").is_err());
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeouts = S3Timeouts {
        stall: Duration::from_secs(1),
        ..S3Timeouts::default()
    };
    let stalling = impatient_store(format!("http://{}", listener.local_addr().unwrap()), timeouts);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nETag: \"tag\"\r\n\r\nhello";
        stream.write_all(answer).await.unwrap();
        stream
    });
    let body = stalling.get("a", &tag()).await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(30), body.stream.try_collect::<Vec<Bytes>>()).await;
    assert!(read.expect("it is given up").is_err());
    drop(server.await.unwrap());
}
