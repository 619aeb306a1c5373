//! What stores write when an object has come, in every dialect that is met in practice. Reading is lenient: whatever is
//! not needed may be missing, new or odd.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageMessage {
    /// Objects that are said to have come.
    pub created: Vec<StorageEvent>,
    /// Names of events that tell of something else, such as `s3:TestEvent` or `ObjectRemoved:Delete`.
    pub ignored: Vec<String>,
    /// Why records of the message can't be understood; the others can.
    pub broken: Vec<String>,
}

/// An object that is said to have come. Only where it is may be believed: stores repeat, reorder and lose events, and
/// report uploads that they refused, with the refused body's size and tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageEvent {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The length that the event claims.
    pub size: Option<u64>,
    /// The entity tag that the event claims.
    pub e_tag: Option<String>,
    /// Orders the events of one key.
    pub sequencer: Option<Sequencer>,
}

/// A message of no known dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unintelligible(String);

/// Orders the events of one key and nothing else: hexadecimal digits, the shorter of two padded with zeros on the right
/// (Amazon S3 user guide, "Event message structure").
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

/// No store's message comes near this; what does is not parsed.
const LONGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// How deep a message may be wrapped: EventBridge or S3 by SNS, and one more.
const MOST_WRAPPINGS: usize = 3;

impl StorageMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Unintelligible`] when it is of no known dialect. A message of several records is read as far as possible.
    pub fn read(body: &[u8]) -> Result<Self, Unintelligible> {
        if body.len() > LONGEST_MESSAGE {
            return Err(Unintelligible(format!(
                "the message has {} bytes, more than {LONGEST_MESSAGE}",
                body.len()
            )));
        }
        let mut message = Self::default();
        message.read_wrapped(body, MOST_WRAPPINGS)?;
        Ok(message)
    }

    fn read_wrapped(&mut self, body: &[u8], wrappings: usize) -> Result<(), Unintelligible> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Unintelligible(format!("the message is not JSON: {error}")))?;
        let Value::Object(message) = value else {
            return Err(Unintelligible("the message is not a JSON object".to_owned()));
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
            self.read_event_bridge(name, detail);
            return Ok(());
        }
        match message.get("Message") {
            Some(Value::String(inner)) if wrappings > 0 => self.read_wrapped(inner.as_bytes(), wrappings - 1),
            Some(Value::String(_)) => Err(Unintelligible("the message is wrapped too often".to_owned())),
            _ => Err(Unintelligible(
                "the message has no Records, no detail and no Message".to_owned(),
            )),
        }
    }

    /// One of `Records`: AWS S3, Ceph, MinIO, RustFS and everything that imitates them.
    fn read_record(&mut self, record: &Value) {
        let name = record.get("eventName").and_then(Value::as_str);
        let Some(name) = name.map(|name| name.strip_prefix("s3:").unwrap_or(name)) else {
            self.broken.push("a record has no eventName".to_owned());
            return;
        };
        if !name.starts_with("ObjectCreated:") && name != "ObjectCreated" {
            self.ignored.push(name.to_owned());
            return;
        }
        let bucket = record.pointer("/s3/bucket/name").and_then(Value::as_str);
        let object = record.pointer("/s3/object").and_then(Value::as_object);
        let key = object
            .and_then(|object| object.get("key"))
            .and_then(Value::as_str);
        let (Some(bucket), Some(object), Some(key)) = (bucket, object, key) else {
            self.broken
                .push(format!("a record of {name} names no bucket or no key"));
            return;
        };
        // Ceph writes keys as they are, everybody else as forms do.
        let source = record.get("eventSource").and_then(Value::as_str);
        let key = if source == Some("ceph:s3") {
            key.to_owned()
        } else {
            form_decoded(key)
        };
        self.created.push(created(bucket, key, object, "eTag"));
    }

    fn read_event_bridge(&mut self, name: &str, detail: &Map<String, Value>) {
        if name != "Object Created" {
            self.ignored.push(name.to_owned());
            return;
        }
        let bucket = detail.get("bucket").and_then(|bucket| bucket.get("name"));
        let object = detail.get("object").and_then(Value::as_object);
        let key = object
            .and_then(|object| object.get("key"))
            .and_then(Value::as_str);
        match (bucket.and_then(Value::as_str), object, key) {
            (Some(bucket), Some(object), Some(key)) => {
                self.created.push(created(bucket, key.to_owned(), object, "etag"));
            }
            _ => self
                .broken
                .push(format!("the detail of {name} names no bucket or no key")),
        }
    }
}

fn created(bucket: &str, key: String, object: &Map<String, Value>, e_tag: &str) -> StorageEvent {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    StorageEvent {
        bucket: bucket.to_owned(),
        key,
        size: object.get("size").and_then(Value::as_u64),
        e_tag: text("eTag").or_else(|| text(e_tag)),
        sequencer: text("sequencer")
            .filter(|digits| !digits.is_empty())
            .map(Sequencer),
    }
}

/// Decodes `%2F` and `+` as forms do. What is no escape stands for itself, and bytes that are no UTF-8 are replaced:
/// such a key is none of ours.
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

    /// The key in every recorded message, and in those written here.
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

    fn assert_is_the_object(event: &StorageEvent) {
        assert_eq!((event.bucket.as_str(), event.key.as_str()), ("uploads", KEY));
        assert_eq!(event.size, Some(1000));
        assert_eq!(event.e_tag.as_deref(), Some("398533d48111e9f664b1f64cb10c4b63"));
    }

    #[test]
    fn messages_recorded_from_real_stores_are_understood() {
        for recorded in [
            &include_bytes!("../../tests/fixtures/storage-events/ceph-16.2-amqp-put.json")[..],
            include_bytes!("../../tests/fixtures/storage-events/moto-5.2-sqs-put.json"),
            include_bytes!("../../tests/fixtures/storage-events/moto-5.2-eventbridge-sqs.json"),
        ] {
            let message = StorageMessage::read(recorded).unwrap();
            assert_eq!(message.created.len(), 1);
            assert_is_the_object(&message.created[0]);
            assert!(message.ignored.is_empty() && message.broken.is_empty());
        }
    }

    #[test]
    fn each_dialect_writes_keys_in_its_own_way() {
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
            assert_is_the_object(&message.created[0]);
        }
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        assert_eq!(form_decoded("100%"), "100%");
        assert_eq!(form_decoded("a%2"), "a%2");
        assert_eq!(form_decoded("%zz%25"), "%zz%");
        assert_eq!(form_decoded("%+"), "% ");
        assert_eq!(form_decoded("%FF"), "\u{fffd}");
    }

    #[test]
    fn a_message_by_sns_is_unwrapped() {
        let inner = json!({ "Records": [record("aws:s3", "ObjectCreated:Put", "in/a+b%2B%C3%BC.jpg")] });
        let message =
            json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:t", "Message": inner.to_string() });
        assert_is_the_object(&read(&message).created[0]);
        let mut deep = inner;
        for _ in 0..5 {
            deep = json!({ "Message": deep.to_string() });
        }
        assert!(StorageMessage::read(deep.to_string().as_bytes()).is_err());
    }

    #[test]
    fn a_test_event_is_nothing_to_do() {
        let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads" });
        for message in [
            test.clone(),
            json!({ "Type": "Notification", "Message": test.to_string() }),
        ] {
            let message = read(&message);
            assert_eq!(message.ignored, ["s3:TestEvent"]);
            assert!(message.created.is_empty() && message.broken.is_empty());
        }
    }

    #[test]
    fn other_events_are_ignored_and_broken_records_keep_the_others_company() {
        let message = read(&json!({ "Records": [
            record("aws:s3", "ObjectRemoved:Delete", "x"),
            { "eventName": "ObjectCreated:Put", "s3": { "bucket": {}, "object": { "key": null } } },
            null,
            record("ceph:s3", "ObjectCreated:Copy", KEY),
        ] }));
        assert_eq!(message.ignored, ["ObjectRemoved:Delete"]);
        assert_eq!(message.broken.len(), 2);
        assert_is_the_object(&message.created[0]);
        let deleted = json!({ "detail-type": "Object Deleted", "detail": { "object": { "key": "x" } } });
        assert_eq!(read(&deleted).ignored, ["Object Deleted"]);
    }

    #[test]
    fn what_is_of_no_dialect_is_refused_with_a_reason() {
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
        assert!(StorageMessage::read(&vec![b' '; LONGEST_MESSAGE + 1]).is_err());
    }

    #[test]
    fn sequencers_are_compared_after_padding() {
        let of = |digits: &str| Sequencer(digits.to_owned());
        assert_eq!(of("0055AED6DCD90281E5"), of("0055aed6dcd90281e50"), "a duplicate");
        assert!(of("0055AED6DCD90281E5") < of("0055AED6DCD90281E51"));
        assert!(of("9") > of("0055AED6DCD90281E5"), "not as numbers");
    }
}
