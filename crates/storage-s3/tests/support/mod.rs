//! A scripted server, and stores that send their requests to it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rapidphoto_application::ports::Clock;
use rapidphoto_storage_s3::{Addressing, S3Config, S3Credentials, S3Store};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

/// Configuration of a store at `endpoint`, with one attempt per request.
pub(crate) fn config(endpoint: String) -> S3Config {
    S3Config {
        endpoint: Some(endpoint),
        addressing: Addressing::Path,
        max_attempts: 1,
        ..S3Config::new("photos", "us-east-1", S3Credentials::new("key", "secret"))
    }
}

pub(crate) fn store(config: &S3Config) -> S3Store {
    S3Store::new(config, Arc::new(FixedClock)).unwrap()
}

/// Store at `endpoint`, with one attempt per request.
pub(crate) fn store_at(endpoint: String) -> S3Store {
    store(&config(endpoint))
}

/// Store that sends one response to every request, and the heads of the requests that it receives.
pub(crate) async fn store_responding(response: &'static str) -> (S3Store, mpsc::UnboundedReceiver<String>) {
    let (endpoint, heads) = serve(move |_| response.to_owned()).await;
    (store_at(endpoint), heads)
}

/// Server that sends the response to each head of a request: its URL, and the heads that it receives.
pub(crate) async fn serve(
    mut respond: impl FnMut(&str) -> String + Send + 'static,
) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = request_head(&mut stream).await;
            // The connection is closed after the response, so that clients neither wait for more nor reuse it.
            let response = respond(&head)
                .replacen('\n', "\nConnection: close\n", 1)
                .replace('\n', "\r\n");
            // A test that has ended reads no heads.
            let _ = sender.send(head);
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    (endpoint, heads)
}

/// Reads the head of a request; its body stays unread.
pub(crate) async fn request_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
