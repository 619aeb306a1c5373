//! Any bytes as a storage notification: no panic, the same result every time and in every envelope, new objects have a
//! bucket and a key, sequencers are ordered consistently, and errors are short and printable.

use rapidphoto_application::intake::StorageMessage;
use serde_json::json;

pub(crate) fn check(data: &[u8]) {
    let result = StorageMessage::read(data);
    assert_eq!(result, StorageMessage::read(data));
    check_envelope(data, result.as_ref().ok());
    let message = match result {
        Ok(message) => message,
        Err(error) => return check_reason(&error.to_string()),
    };
    for event in &message.created {
        assert!(!event.bucket.is_empty() && !event.key.is_empty(), "{event:?}");
    }
    for [first, second] in message.created.array_windows() {
        let order = first.sequencer.cmp(&second.sequencer);
        assert_eq!(order.reverse(), second.sequencer.cmp(&first.sequencer));
        assert_eq!(order.is_eq(), first.sequencer == second.sequencer);
    }
    for reason in &message.malformed {
        check_reason(reason);
    }
}

/// The message inside a notification of SNS has the same content, or is nested too deeply.
fn check_envelope(data: &[u8], content: Option<&StorageMessage>) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let wrapped = json!({ "Type": "Notification", "Message": text }).to_string();
    match StorageMessage::read(wrapped.as_bytes()) {
        Ok(inner) => assert_eq!(Some(&inner), content),
        Err(error) => assert!(content.is_none() || error.to_string().contains("too many envelopes")),
    }
}

/// Reasons become attributes of dead letters.
fn check_reason(reason: &str) {
    assert!(!reason.is_empty() && reason.len() <= 200, "{reason}");
    assert!(!reason.contains(char::is_control), "{reason:?}");
}
