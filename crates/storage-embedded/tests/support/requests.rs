//! Presigned requests, sent by a plain HTTP client or as raw bytes.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::{BUCKET, StorageServer, TEST_TIMEOUT};

/// Presigning for a URL that is valid for an hour.
pub(crate) fn valid_presigning() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_hours(1)).unwrap()
}

/// Presigning for a URL that expired five minutes ago.
pub(crate) fn expired_presigning() -> PresigningConfig {
    #[allow(
        clippy::disallowed_methods,
        reason = "the SDK and the server use the system's clock for signatures"
    )]
    let now = SystemTime::now();
    PresigningConfig::builder()
        .start_time(now - Duration::from_mins(10))
        .expires_in(Duration::from_mins(5))
        .build()
        .unwrap()
}

pub(crate) fn sha256(body: &[u8]) -> String {
    use base64::Engine as _;
    use s3s::crypto::{Checksum as _, Sha256};
    base64::engine::general_purpose::STANDARD.encode(Sha256::checksum(body))
}

/// ETag of data that was stored by one request, without quotes.
pub(crate) fn etag(body: &[u8]) -> String {
    use s3s::crypto::{Checksum as _, Sha256};
    format!("{}-1", hex::encode(&Sha256::checksum(body)[..16]))
}

/// MD5 in hex.
pub(crate) fn md5(body: &[u8]) -> String {
    use s3s::crypto::{Checksum as _, Md5};
    hex::encode(Md5::checksum(body))
}

impl StorageServer {
    /// Presigned upload of `body` as the application signs it, with length, type, checksum and `If-None-Match: *`.
    pub(crate) async fn presign_photo(&self, key: &str, body: &[u8]) -> PresignedRequest {
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .content_length(i64::try_from(body.len()).unwrap())
            .content_type("image/jpeg")
            .checksum_sha256(sha256(body))
            .if_none_match("*")
            .presigned(valid_presigning())
            .await
            .unwrap()
    }
}

/// Sends a presigned request with its signed headers modified by `change`.
pub(crate) async fn send_presigned(
    server: &StorageServer,
    presigned: &PresignedRequest,
    body: &[u8],
    change: impl FnOnce(&mut HashMap<String, String>),
) -> reqwest::Response {
    let mut headers: HashMap<_, _> = presigned
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    change(&mut headers);
    let mut request = server
        .http
        .request(presigned.method().parse().unwrap(), presigned.uri());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body.to_vec()).send().await.unwrap()
}

/// Head of a presigned request as raw HTTP, with `extra` header lines.
pub(crate) fn request_head(server: &StorageServer, presigned: &PresignedRequest, extra: &str) -> String {
    let path = presigned.uri().split_once(&server.address.to_string()).unwrap().1;
    let mut head = format!(
        "{} {path} HTTP/1.1\r\nhost: {}\r\n",
        presigned.method(),
        server.address
    );
    for (name, value) in presigned.headers() {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    head.push_str(extra);
    head.push_str("\r\n");
    head
}

pub(crate) async fn send_bytes(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).await.unwrap();
}

/// Reads the next response, or the part of it that arrives before the connection is closed.
pub(crate) async fn read_response(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while !is_complete(&text) {
        match timeout(TEST_TIMEOUT, stream.read(&mut chunk))
            .await
            .expect("a response or the end of the connection")
        {
            Ok(0) => break,
            Ok(length) => text.push_str(std::str::from_utf8(&chunk[..length]).unwrap()),
            Err(error) => panic!("{error} after {text:?}"),
        }
    }
    text
}

fn is_complete(response: &str) -> bool {
    let Some((head, body)) = response.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.map_or(0, |length| length.parse().unwrap())
}
