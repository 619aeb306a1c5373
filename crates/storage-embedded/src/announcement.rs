//! Telling the application of objects, as AWS would.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::SecondsFormat;
use rapidphoto_application::ports::StorageMessages;
use serde_json::json;
use tokio_util::task::TaskTracker;

use crate::directory::ObjectRecord;

/// Announces objects of one bucket.
pub(crate) struct Announcer {
    pub(crate) messages: Arc<dyn StorageMessages>,
    pub(crate) bucket: String,
    pub(crate) region: String,
    /// How long an upload's answer waits for its message.
    pub(crate) patience: Duration,
    pub(crate) tasks: TaskTracker,
}

impl Announcer {
    /// Hands the message over and waits, for a while, until it is taken.
    ///
    /// A message that is refused, or taken too slowly, is logged and that is all: the object is on the disk, and the
    /// application looks for those it was never told of.
    pub(crate) async fn created(&self, record: &ObjectRecord, size: u64) {
        fail::fail_point!("s3.before-announce", |_| std::process::abort());
        let message = created(&self.bucket, &self.region, record, size);
        let messages = Arc::clone(&self.messages);
        // In a task of its own, so that losing patience cancels nothing half-done.
        let taking = self.tasks.spawn(async move { messages.take(message).await });
        match tokio::time::timeout(self.patience, taking).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(key = record.key, %error, source, "an upload's message was refused");
            }
            Ok(Err(error)) => tracing::error!(key = record.key, %error, "taking an upload's message failed"),
            Err(_) => tracing::warn!(key = record.key, "an upload's message is still being taken"),
        }
        fail::fail_point!("s3.after-announce", |_| std::process::abort());
    }
}

/// The message of a PUT, version 2.1.
///
/// Its shape is given in <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
fn created(bucket: &str, region: &str, record: &ObjectRecord, size: u64) -> Bytes {
    let message = json!({
        "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": record.modified.to_rfc3339_opts(SecondsFormat::Millis, true),
            "eventName": "ObjectCreated:Put",
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

/// As in an HTML form, but with plain slashes: a space is `+`.
fn encode_key(key: &str) -> String {
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
    fn keys_are_encoded_as_aws_does() {
        assert_eq!(
            encode_key("users/1/my photo+ü%~.jpg"),
            "users/1/my+photo%2B%C3%BC%25%7E.jpg"
        );
    }
}
