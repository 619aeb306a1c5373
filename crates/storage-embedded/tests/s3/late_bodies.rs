//! Bodies of uploads in parts that never end, and bodies that end late.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::CompletedMultipartUpload;
use tokio::time::{sleep, timeout};

use crate::support::{
    BUCKET, StorageServer, TEST_TIMEOUT, Upload, read_response, request_head, send_bytes, send_presigned,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_part_or_a_completion_that_stalls_times_out() {
    let idle = Duration::from_secs(1);
    let server = StorageServer::with_config(|config| config.idle_timeout = idle).await;
    let upload = Upload::open(&server).await;
    let part = upload.presign_part(1, 1_000_000).await;
    let part = request_head(&server, &part, "");
    let completion = SentHead::default();
    let parts = CompletedMultipartUpload::builder().parts(crate::support::named(1, "etag"));
    let unsent = server
        .client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload.id)
        .multipart_upload(parts.build())
        .customize()
        .interceptor(completion.clone())
        .send();
    unsent.await.unwrap_err();
    let completion = completion.0.lock().unwrap().clone();
    for (head, begin) in [(part, "meow"), (completion, "<CompleteMultipartUpload>")] {
        let mut stream = server.connect().await;
        send_bytes(&mut stream, head + begin).await;
        let refused = read_response(&mut stream).await;
        assert!(
            refused.starts_with("HTTP/1.1 400") && refused.contains("<Code>RequestTimeout</Code>"),
            "{refused}"
        );
    }
    server.wait_for_no_incoming().await;
    assert_eq!(upload.parts().await.unwrap(), [0; 0]);
}

/// Keeps the head of a signed request, which is not sent.
#[derive(Debug, Clone, Default)]
struct SentHead(Arc<Mutex<String>>);

impl Intercept for SentHead {
    fn name(&self) -> &'static str {
        "keep the head"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let uri: http::Uri = request.uri().parse()?;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\n",
            request.method(),
            uri.path_and_query().ok_or("no path")?,
            uri.authority().ok_or("no host")?
        );
        for (name, value) in request.headers() {
            if !["host", "content-length"].contains(&name) {
                write!(head, "{name}: {value}\r\n")?;
            }
        }
        let body = request.body().bytes().ok_or("no body")?;
        write!(head, "content-length: {}\r\n\r\n", body.len())?;
        *self.0.lock().unwrap() = head;
        Err("the request is not sent".into())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_began_before_its_url_expired_may_end_after_it() {
    let server = StorageServer::start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_length(4)
        .if_none_match("*");
    let valid_for = PresigningConfig::expires_in(Duration::from_secs(10)).unwrap();
    let url = put.presigned(valid_for).await.unwrap();
    let mut stream = server.connect().await;
    send_bytes(&mut stream, request_head(&server, &url, "") + "me").await;
    server.wait_for_incoming().await;
    // An object that is read with a URL of the same validity shows when the URL is expired.
    let probe = server.client.get_object().bucket(BUCKET).key("missing");
    let valid_for = PresigningConfig::expires_in(Duration::from_secs(10)).unwrap();
    let probe = probe.presigned(valid_for).await.unwrap();
    let expired = async {
        while server.http.get(probe.uri()).send().await.unwrap().status() != 403 {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(TEST_TIMEOUT, expired).await.expect("the URL expires");
    send_bytes(&mut stream, "ow").await;
    let answer = read_response(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.get("k").await.unwrap(), b"meow");
    assert_eq!(send_presigned(&server, &url, b"meow", |_| {}).await.status(), 403);
}
