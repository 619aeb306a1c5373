//! Uploads whose body is signed chunk by chunk, which the SDK does over TLS only.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::rig::{ACCESS_KEY, BUCKET, REGION, Rig, SECRET_KEY, answer, write};

/// A request whose head is signed for chunks, and what signs them.
struct Chunked {
    head: String,
    key: Vec<u8>,
    time: String,
    scope: String,
    seed: String,
}

impl Chunked {
    /// After <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
    fn put(rig: &Rig, key: &str, size: usize, body_bytes: usize) -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "the server judges by the system's clock"
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
            rig.address
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
            seed,
        }
    }

    fn sign(&self, before: &str, chunk: &str) -> String {
        let (empty, chunk) = (sha256(b""), sha256(chunk.as_bytes()));
        let (time, scope) = (&self.time, &self.scope);
        let to_sign = format!("AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{before}\n{empty}\n{chunk}");
        hex::encode(hmac(&self.key, &to_sign))
    }

    /// The body of one chunk and the end, the chunk saying `sent` where `signed` was signed.
    fn body(&self, signed: &str, sent: &str) -> String {
        let first = self.sign(&self.seed, signed);
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

async fn upload(rig: &Rig, size: usize, signed: &str, sent: &str) -> String {
    // Its length depends on no signature, only on how many there are.
    let body_bytes = Chunked::put(rig, "k", 0, 0).body(signed, sent).len();
    let request = Chunked::put(rig, "k", size, body_bytes);
    let mut stream = rig.connect().await;
    write(
        &mut stream,
        format!("{}{}", request.head, request.body(signed, sent)),
    )
    .await;
    answer(&mut stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_signed_in_chunks_is_taken() {
    let rig = Rig::start().await;
    let stored = upload(&rig, 4, "meow", "meow").await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    assert_eq!(rig.get("k").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_is_not_the_signed_one_is_refused() {
    let rig = Rig::start().await;
    let refused = upload(&rig, 4, "meow", "woof").await;
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("SignatureDoesNotMatch"),
        "{refused}"
    );
    assert_eq!(rig.get("k").await, None);
    rig.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_don_t_make_up_the_declared_length_are_refused() {
    let rig = Rig::start().await;
    for size in [3, 5] {
        let refused = upload(&rig, size, "meow", "meow").await;
        assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    }
    assert_eq!(rig.get("k").await, None);
    rig.nothing_is_left().await;
}
