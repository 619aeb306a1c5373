//! Parser of storage notifications about new objects, in the dialects of common stores. It is lenient: members that are
//! not needed may be missing, unknown or malformed.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Content of one notification message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageMessage {
    /// Reported new objects.
    pub created: Vec<StorageEvent>,
    /// Names of events that report something else, such as `s3:TestEvent` or `ObjectRemoved:Delete`.
    pub ignored: Vec<String>,
    /// Errors in malformed records; the other records of the message are valid. They contain nothing of the message.
    pub malformed: Vec<String>,
}

/// Report of a new object. Only its bucket and key can be trusted: stores repeat, reorder and lose events, and some
/// report rejected uploads with the size and entity tag of the rejected body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageEvent {
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the object, decoded.
    pub key: String,
    /// Reported size in bytes; not trusted.
    pub size: Option<u64>,
    /// Order among the events of the same key.
    pub sequencer: Option<Sequencer>,
}

/// Error for a message that is in none of the known dialects. It contains nothing of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedMessage(String);

/// Order among the events of the same key; events of different keys can't be compared. A string of hexadecimal digits;
/// of two, the shorter one is padded with zeros on the right (Amazon S3 user guide, "Event message structure").
#[derive(Debug, Clone)]
pub struct Sequencer(String);

impl Ord for Sequencer {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        let padded = |digits: &Self| {
            let mut digits = digits.0.to_ascii_uppercase();
            digits.extend(std::iter::repeat_n('0', length - digits.len()));
            digits
        };
        padded(self).cmp(&padded(other))
    }
}

impl PartialOrd for Sequencer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sequencer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Sequencer {}

/// Maximum size of a message in bytes, far above that of any store.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Maximum depth of envelopes: SNS around EventBridge or S3, and one spare.
const MAX_ENVELOPES: usize = 3;

impl StorageMessage {
    /// Parses a message.
    ///
    /// # Errors
    /// [`MalformedMessage`] if it is in none of the known dialects. Malformed records in a valid message are listed in
    /// [`StorageMessage::malformed`] instead.
    pub fn read(body: &[u8]) -> Result<Self, MalformedMessage> {
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(MalformedMessage(format!(
                "the message has {} bytes, more than {MAX_MESSAGE_BYTES}",
                body.len()
            )));
        }
        let mut message = Self::default();
        message.read_envelope(body, MAX_ENVELOPES)?;
        Ok(message)
    }

    fn read_envelope(&mut self, body: &[u8], envelopes: usize) -> Result<(), MalformedMessage> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| MalformedMessage(format!("the message is not JSON: {error}")))?;
        let Value::Object(message) = value else {
            return Err(MalformedMessage("the message is not a JSON object".to_owned()));
        };
        if let Some(Value::Array(records)) = message.get("Records") {
            for record in records {
                self.read_record(record);
            }
            return Ok(());
        }
        if message.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
            self.ignored.push("s3:TestEvent".to_owned());
            return Ok(());
        }
        if let (Some(Value::String(name)), Some(Value::Object(detail))) =
            (message.get("detail-type"), message.get("detail"))
        {
            // This account exists in LocalStack only.
            let local_stack = message.get("account").and_then(Value::as_str) == Some("000000000000");
            self.read_event_bridge(name, detail, local_stack);
            return Ok(());
        }
        match message.get("Message") {
            Some(Value::String(inner)) if envelopes > 0 => {
                self.read_envelope(inner.as_bytes(), envelopes - 1)
            }
            Some(Value::String(_)) => Err(MalformedMessage(
                "the message is nested in too many envelopes".to_owned(),
            )),
            _ => Err(MalformedMessage(
                "the message has none of the members Records, detail and Message".to_owned(),
            )),
        }
    }

    /// Reads one element of `Records`, the form of AWS S3, Ceph, MinIO, RustFS and compatible stores.
    fn read_record(&mut self, record: &Value) {
        let name = record.get("eventName").and_then(Value::as_str);
        let Some(name) = name.map(|name| name.strip_prefix("s3:").unwrap_or(name)) else {
            self.malformed.push("a record has no eventName".to_owned());
            return;
        };
        if !name.starts_with("ObjectCreated:") && name != "ObjectCreated" {
            self.ignored.push(name.to_owned());
            return;
        }
        let bucket = text(record.pointer("/s3/bucket/name"));
        let object = record.pointer("/s3/object").and_then(Value::as_object);
        let key = text(object.and_then(|object| object.get("key")));
        let (Some(bucket), Some(object), Some(key)) = (bucket, object, key) else {
            self.malformed
                .push("a record of a new object has no bucket or no key".to_owned());
            return;
        };
        // Ceph does not encode keys; the other stores use form encoding.
        let source = record.get("eventSource").and_then(Value::as_str);
        let key = if source == Some("ceph:s3") {
            key.to_owned()
        } else {
            form_decoded(key)
        };
        self.created.push(created(bucket, key, object));
    }

    /// Reads an event of EventBridge. AWS does not encode keys in it; LocalStack does.
    fn read_event_bridge(&mut self, name: &str, detail: &Map<String, Value>, encoded: bool) {
        if name != "Object Created" {
            self.ignored.push(name.to_owned());
            return;
        }
        let bucket = text(detail.get("bucket").and_then(|bucket| bucket.get("name")));
        let object = detail.get("object").and_then(Value::as_object);
        let key = text(object.and_then(|object| object.get("key")));
        match (bucket, object, key) {
            (Some(bucket), Some(object), Some(key)) => {
                let key = if encoded {
                    form_decoded(key)
                } else {
                    key.to_owned()
                };
                self.created.push(created(bucket, key, object));
            }
            _ => self
                .malformed
                .push("the detail of a new object has no bucket or no key".to_owned()),
        }
    }
}

/// String that is not empty.
fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn created(bucket: &str, key: String, object: &Map<String, Value>) -> StorageEvent {
    StorageEvent {
        bucket: bucket.to_owned(),
        key,
        size: object.get("size").and_then(Value::as_u64),
        sequencer: text(object.get("sequencer")).map(|digits| Sequencer(digits.to_owned())),
    }
}

/// Decodes form encoding (`%2F` and `+`). Incomplete escapes are copied unchanged. Invalid UTF-8 is replaced: such a
/// key does not belong to this deployment.
fn form_decoded(raw: &str) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(byte),
            },
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Key in the messages of these tests.
    const KEY: &str = "in/a b+ü.jpg";

    fn read(message: &Value) -> StorageMessage {
        StorageMessage::read(message.to_string().as_bytes()).unwrap()
    }

    fn record(source: &str, name: &str, key: &str) -> Value {
        json!({
            "eventVersion": "2.9", "eventSource": source, "eventName": name, "anythingNew": [1],
            "s3": { "bucket": { "name": "uploads" }, "object": {
                "key": key, "size": 1000, "eTag": "398533d48111e9f664b1f64cb10c4b63", "sequencer": "0055AED6DCD90281E5"
            } }
        })
    }

    fn assert_is_test_object(event: &StorageEvent) {
        assert_eq!((event.bucket.as_str(), event.key.as_str()), ("uploads", KEY));
        assert_eq!(event.size, Some(1000));
    }

    #[test]
    fn keys_are_decoded_in_every_dialect() {
        for (source, name, key) in [
            ("aws:s3", "ObjectCreated:Put", "in/a+b%2B%C3%BC.jpg"),
            (
                "aws:s3",
                "s3:ObjectCreated:CompleteMultipartUpload",
                "in/a+b%2b%c3%bc.jpg",
            ),
            ("minio:s3", "s3:ObjectCreated:Put", "in%2Fa+b%2B%C3%BC.jpg"),
            ("rustfs:s3", "s3:ObjectCreated:Put", "in%2Fa%20b%2B%C3%BC.jpg"),
            ("ceph:s3", "ObjectCreated:Put", KEY),
        ] {
            let message = read(&json!({
                "EventName": "s3:ObjectCreated:Put", "Key": format!("uploads/{KEY}"), "Records": [record(source, name, key)]
            }));
            assert_is_test_object(&message.created[0]);
        }
    }

    #[test]
    fn incomplete_escapes_are_copied_unchanged() {
        assert_eq!(form_decoded("100%"), "100%");
        assert_eq!(form_decoded("a%2"), "a%2");
        assert_eq!(form_decoded("%zz%25"), "%zz%");
        assert_eq!(form_decoded("%+"), "% ");
        assert_eq!(form_decoded("%FF"), "\u{fffd}");
    }

    #[test]
    fn sns_envelopes_are_removed() {
        let inner = json!({ "Records": [record("aws:s3", "ObjectCreated:Put", "in/a+b%2B%C3%BC.jpg")] });
        let message =
            json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:t", "Message": inner.to_string() });
        assert_is_test_object(&read(&message).created[0]);
        let mut deep = inner;
        for _ in 0..5 {
            deep = json!({ "Message": deep.to_string() });
        }
        assert!(StorageMessage::read(deep.to_string().as_bytes()).is_err());
    }

    #[test]
    fn test_events_are_ignored() {
        let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads" });
        for message in [
            test.clone(),
            json!({ "Type": "Notification", "Message": test.to_string() }),
        ] {
            let message = read(&message);
            assert_eq!(message.ignored, ["s3:TestEvent"]);
            assert!(message.created.is_empty() && message.malformed.is_empty());
        }
    }

    #[test]
    fn other_events_are_ignored_and_malformed_records_do_not_affect_valid_ones() {
        let message = read(&json!({ "Records": [
            record("aws:s3", "ObjectRemoved:Delete", "x"),
            { "eventName": "ObjectCreated:Put", "s3": { "bucket": {}, "object": { "key": null } } },
            record("aws:s3", "ObjectCreated:Put", ""),
            null,
            record("ceph:s3", "ObjectCreated:Copy", KEY),
        ] }));
        assert_eq!(message.ignored, ["ObjectRemoved:Delete"]);
        assert_eq!(message.malformed.len(), 3);
        assert_is_test_object(&message.created[0]);
        let deleted = json!({ "detail-type": "Object Deleted", "detail": { "object": { "key": "x" } } });
        assert_eq!(read(&deleted).ignored, ["Object Deleted"]);
    }

    #[test]
    fn messages_of_no_known_dialect_are_an_error() {
        for body in [
            &b""[..],
            b"hello",
            b"[]",
            b"42",
            b"{}",
            b"{\"Records\":{}}",
            b"{\"Message\":7}",
            b"\xff\xfe{}",
            b"{\"Message\":\"not json\"}",
        ] {
            assert!(
                StorageMessage::read(body).is_err(),
                "{:?}",
                String::from_utf8_lossy(body)
            );
        }
        let deep = "[".repeat(1_000_000);
        assert!(StorageMessage::read(deep.as_bytes()).is_err());
        assert!(StorageMessage::read(&vec![b' '; MAX_MESSAGE_BYTES + 1]).is_err());
    }

    #[test]
    fn sequencers_are_compared_after_padding() {
        let of = |digits: &str| Sequencer(digits.to_owned());
        assert_eq!(of("0055AED6DCD90281E5"), of("0055aed6dcd90281e50"), "a duplicate");
        assert!(of("0055AED6DCD90281E5") < of("0055AED6DCD90281E51"));
        assert!(of("9") > of("0055AED6DCD90281E5"), "not as numbers");
    }
}
