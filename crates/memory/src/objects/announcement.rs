use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::json;

use super::{MemoryObjects, bucket::Bucket};
use crate::Operation;

impl MemoryObjects {
    /// Announces an object in the format of AWS, unless a test requested its loss.
    ///
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
    pub(super) fn announce(&self, bucket: &mut Bucket, key: &str) {
        let Some(object) = bucket.objects.get(key) else {
            return;
        };
        if self.faults.is_lost(Operation::Announce) {
            return;
        }
        let message = json!({
            "Records": [{
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "memory",
                "eventTime": self.clock.now().to_rfc3339(),
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": { "name": self.name, "arn": format!("arn:aws:s3:::{}", self.name) },
                    "object": {
                        "key": form_encoded(key),
                        "size": object.body.len(),
                        "eTag": object.e_tag.as_str(),
                        "sequencer": format!("{:016x}", object.sequencer),
                    },
                },
            }],
        });
        bucket.announcements.push(Bytes::from(message.to_string()));
    }
}

/// Encodes as in an HTML form, except for slashes.
fn form_encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b' ' => encoded.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
        encoded
    })
}
