//! Uploads with a signature per chunk, which the SDK does only over TLS.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::support::{ACCESS_KEY, BUCKET, REGION, SECRET_KEY, StorageServer, read_response, send_bytes};

/// Head of a request with chunk signatures, and the inputs of those signatures.
struct Chunked {
    head: String,
    key: Vec<u8>,
    time: String,
    scope: String,
    seed_signature: String,
}

impl Chunked {
    /// Signs as documented in <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
    fn put(server: &StorageServer, key: &str, size: usize, body_bytes: usize) -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "the server verifies signatures with the system's clock"
        )]
        let now = DateTime::<Utc>::from(std::time::SystemTime::now());
        let time = now.format("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{}/{REGION}/s3/aws4_request", now.format("%Y%m%d"));
        let (payload, names) = (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length",
        );
        let headers = format!(
            "content-length:{body_bytes}\nhost:{}\nx-amz-content-sha256:{payload}\nx-amz-date:{time}\n\
             x-amz-decoded-content-length:{size}\n",
            server.address
        );
        let canonical = format!("PUT\n/{BUCKET}/{key}\n\n{headers}\n{names}\n{payload}");
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            sha256(canonical.as_bytes())
        );
        let mut signing_key = format!("AWS4{SECRET_KEY}").into_bytes();
        for part in scope.split('/') {
            signing_key = hmac(&signing_key, part);
        }
        let seed = hex::encode(hmac(&signing_key, &to_sign));
        let head = format!(
            "PUT /{BUCKET}/{key} HTTP/1.1\r\n{}authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, \
             SignedHeaders={names}, Signature={seed}\r\n\r\n",
            headers.replace('\n', "\r\n")
        );
        Self {
            head,
            key: signing_key,
            time,
            scope,
            seed_signature: seed,
        }
    }

    fn sign(&self, previous: &str, chunk: &str) -> String {
        let (empty, chunk) = (sha256(b""), sha256(chunk.as_bytes()));
        let (time, scope) = (&self.time, &self.scope);
        let to_sign = format!("AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{previous}\n{empty}\n{chunk}");
        hex::encode(hmac(&self.key, &to_sign))
    }

    /// Body of one chunk and the end: the chunk contains `sent`, its signature is that of `signed`.
    fn body(&self, signed: &str, sent: &str) -> String {
        let first = self.sign(&self.seed_signature, signed);
        let last = self.sign(&first, "");
        format!(
            "{:x};chunk-signature={first}\r\n{sent}\r\n0;chunk-signature={last}\r\n\r\n",
            signed.len()
        )
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

async fn upload(server: &StorageServer, size: usize, signed: &str, sent: &str) -> String {
    // The length of the body depends on the number of signatures only.
    let body_bytes = Chunked::put(server, "k", 0, 0).body(signed, sent).len();
    let request = Chunked::put(server, "k", size, body_bytes);
    let mut stream = server.connect().await;
    send_bytes(
        &mut stream,
        format!("{}{}", request.head, request.body(signed, sent)),
    )
    .await;
    read_response(&mut stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_valid_chunk_signatures_is_stored() {
    let server = StorageServer::start().await;
    let stored = upload(&server, 4, "meow", "meow").await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    assert_eq!(server.get("k").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_differs_from_the_signed_one_is_rejected() {
    let server = StorageServer::start().await;
    let rejected = upload(&server, 4, "meow", "woof").await;
    assert!(
        rejected.starts_with("HTTP/1.1 403") && rejected.contains("SignatureDoesNotMatch"),
        "{rejected}"
    );
    assert_eq!(server.get("k").await, None);
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_another_length_than_declared_are_rejected() {
    let server = StorageServer::start().await;
    for size in [3, 5] {
        let rejected = upload(&server, size, "meow", "meow").await;
        assert!(rejected.starts_with("HTTP/1.1 400"), "{rejected}");
    }
    assert_eq!(server.get("k").await, None);
    server.wait_for_no_incoming().await;
}
