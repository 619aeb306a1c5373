use std::collections::BTreeMap;

use serde_json::Value;

/// Conversion of a payload from one schema version to the next.
type Upcast = fn(Value) -> Value;

/// Conversions of old payloads to the current schema, applied on read: one step per old schema version of an event
/// type.
///
/// An event type whose payload never changed has schema version 1 and no steps. A change of a payload's shape requires
/// a step that converts the old shape; the log itself is never rewritten.
#[derive(Debug, Clone, Default)]
pub struct Upcasters(BTreeMap<&'static str, Vec<Upcast>>);

impl Upcasters {
    /// Steps to the current schema of all events.
    pub fn current() -> Self {
        Self::default()
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
