//! Event notifications about created objects, in the format of AWS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::SecondsFormat;
use rapidphoto_application::ports::StorageMessages;
use serde_json::json;
use tokio_util::task::TaskTracker;

use crate::directory::{Creation, ObjectRecord};

/// Sends the event notifications of one bucket.
pub(crate) struct EventNotifier {
    pub(crate) messages: Arc<dyn StorageMessages>,
    pub(crate) bucket: String,
    pub(crate) region: String,
    /// Maximum time that the response to an upload waits for its notification.
    pub(crate) timeout: Duration,
    pub(crate) tasks: TaskTracker,
}

impl EventNotifier {
    /// Sends an `ObjectCreated` notification and waits until it is processed or the time-out has passed.
    ///
    /// A failed or slow notification is logged and is no error: the object is stored, and the application also polls
    /// for objects whose notification it did not receive.
    pub(crate) async fn object_created(&self, record: &ObjectRecord, size: u64) {
        fail::fail_point!("s3.before-announce", |_| std::process::abort());
        let message = object_created(&self.bucket, &self.region, record, size);
        let messages = Arc::clone(&self.messages);
        // A separate task, so that the time-out does not cancel the processing.
        let processing = self.tasks.spawn(async move { messages.take(message).await });
        match tokio::time::timeout(self.timeout, processing).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(key = record.key, %error, source, "the event notification of an upload was rejected");
            }
            Ok(Err(error)) => {
                tracing::error!(key = record.key, %error, "processing the event notification of an upload panicked");
            }
            Err(_) => tracing::warn!(
                key = record.key,
                "the event notification of an upload is still being processed; not waiting for it"
            ),
        }
        fail::fail_point!("s3.after-announce", |_| std::process::abort());
    }
}

/// `ObjectCreated` notification, version 2.1.
///
/// The format is documented in <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
fn object_created(bucket: &str, region: &str, record: &ObjectRecord, size: u64) -> Bytes {
    let name = match record.creation {
        Creation::Put => "ObjectCreated:Put",
        Creation::Copy => "ObjectCreated:Copy",
        Creation::Multipart(_) => "ObjectCreated:CompleteMultipartUpload",
    };
    let message = json!({
        "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": record.modified.to_rfc3339_opts(SecondsFormat::Millis, true),
            "eventName": name,
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "embedded",
                "bucket": { "name": bucket, "arn": format!("arn:aws:s3:::{bucket}") },
                "object": {
                    "key": encode_key(&record.key),
                    "size": size,
                    "eTag": record.etag,
                    "sequencer": record.sequencer,
                },
            },
        }],
    });
    Bytes::from(message.to_string())
}

/// Form URL encoding (a space is `+`) that keeps slashes.
pub(crate) fn encode_key(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                encoded.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_by_aws() {
        assert_eq!(
            encode_key("users/1/my photo+ü%~.jpg"),
            "users/1/my+photo%2B%C3%BC%25%7E.jpg"
        );
    }
}
