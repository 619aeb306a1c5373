use std::collections::BTreeMap;

use serde_json::Value;

/// Conversion of a payload from one schema version to the next.
type Upcast = fn(Value) -> Value;

/// Conversions of old payloads to the current schema, applied on read: one step per old schema version of an event
/// type.
///
/// An event type whose payload never changed has schema version 1 and no steps. A change of a payload's shape requires
/// a step that converts the old shape; the log itself is not rewritten.
#[derive(Debug, Clone, Default)]
pub struct Upcasters(BTreeMap<&'static str, Vec<Upcast>>);

impl Upcasters {
    /// Steps to the current schema of all events.
    pub fn current() -> Self {
        Self::default()
            .with("PhotoQueued", without_hashes)
            .with("PhotoProcessingStarted", without_hashes)
            .with("PhotoProcessingCompleted", without_hashes)
            .with("PhotoRejected", without_hashes)
    }

    /// Adds the step that converts payloads of `event_type` from its current version to the next.
    #[must_use]
    pub fn with(mut self, event_type: &'static str, step: Upcast) -> Self {
        self.0.entry(event_type).or_default().push(step);
        self
    }

    /// Schema version with which events of this type are written.
    pub fn schema_version(&self, event_type: &str) -> u16 {
        let steps = self.0.get(event_type).map_or(0, Vec::len);
        u16::try_from(steps).unwrap_or(u16::MAX).saturating_add(1)
    }

    /// Converts a payload of schema version `stored` to the current version.
    pub(super) fn upcast(&self, event_type: &str, stored: u16, payload: Value) -> Value {
        let steps = self.0.get(event_type).map_or(&[][..], Vec::as_slice);
        steps
            .iter()
            .skip(usize::from(stored).saturating_sub(1))
            .fold(payload, |payload, step| step(payload))
    }
}

/// Version 1 of the photos' events had hashes of the content: checksums, perceptual hashes, and entity tags, which most
/// stores derive from the content. Databases lose them by a migration too, which also keeps them as details; this step
/// makes sure that no payload of another origin brings them back.
fn without_hashes(mut payload: Value) -> Value {
    for (object, members) in [
        ("/declared", &["checksum"][..]),
        ("/object", &["eTag"]),
        ("/result", &["checksum", "perceptualHash"]),
        ("/result/object", &["eTag"]),
    ] {
        remove(&mut payload, object, members);
    }
    for findings in ["/reasons", "/result/warnings"] {
        let findings = payload.pointer_mut(findings).and_then(Value::as_array_mut);
        for finding in findings.into_iter().flatten() {
            if finding
                .get("check")
                .is_some_and(|check| check == "checksum_mismatch")
            {
                remove(finding, "", &["measured", "allowed"]);
            }
        }
    }
    payload
}

fn remove(payload: &mut Value, object: &str, members: &[&str]) {
    if let Some(object) = payload.pointer_mut(object).and_then(Value::as_object_mut) {
        for member in members {
            object.remove(*member);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn payloads_of_version_1_lose_the_hashes_of_the_content() {
        let upcasters = Upcasters::current();
        for (event_type, stored, current) in [
            (
                "PhotoQueued",
                json!({ "photo": "ph_1", "declared": { "bytes": 9, "checksum": "ab" }, "object": { "key": "k" } }),
                json!({ "photo": "ph_1", "declared": { "bytes": 9 }, "object": { "key": "k" } }),
            ),
            (
                "PhotoProcessingStarted",
                json!({ "object": { "eTag": "ab", "bytes": 9 } }),
                json!({ "object": { "bytes": 9 } }),
            ),
            (
                "PhotoProcessingCompleted",
                json!({ "result": {
                    "object": { "eTag": "ab", "bytes": 9 }, "checksum": "ab", "perceptualHash": "cd", "width": 3,
                    "warnings": [
                        { "check": "blurry", "measured": 0.5, "allowed": 1.5 },
                        { "check": "checksum_mismatch", "measured": "ab", "allowed": "cd" },
                    ],
                } }),
                json!({ "result": {
                    "object": { "bytes": 9 }, "width": 3,
                    "warnings": [
                        { "check": "blurry", "measured": 0.5, "allowed": 1.5 },
                        { "check": "checksum_mismatch" },
                    ],
                } }),
            ),
            (
                "PhotoRejected",
                json!({ "reasons": [{ "check": "checksum_mismatch", "measured": "ab", "allowed": "cd" }] }),
                json!({ "reasons": [{ "check": "checksum_mismatch" }] }),
            ),
        ] {
            assert_eq!(upcasters.upcast(event_type, 1, stored), current, "{event_type}");
            assert_eq!(
                upcasters.upcast(event_type, 2, current.clone()),
                current,
                "{event_type}"
            );
            assert_eq!(upcasters.schema_version(event_type), 2);
        }
    }
}
