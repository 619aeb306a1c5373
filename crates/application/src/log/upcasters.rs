use std::collections::BTreeMap;

use serde_json::Value;

/// Lifts a payload from one schema version to the next.
type Upcast = fn(Value) -> Value;

/// How old payloads are lifted on read: for each event type, one step per schema version that it left behind.
///
/// An event type that never changed is at schema version 1 and is not named here. Changing a payload's shape means to
/// add the step that lifts the old one; the log itself is never rewritten.
#[derive(Debug, Clone, Default)]
pub struct Upcasters(BTreeMap<&'static str, Vec<Upcast>>);

impl Upcasters {
    /// The steps for the present schema of every event.
    pub fn current() -> Self {
        Self::default()
    }

    /// Adds the step that lifts payloads of `event_type` from its present version to the next.
    #[must_use]
    pub fn with(mut self, event_type: &'static str, step: Upcast) -> Self {
        self.0.entry(event_type).or_default().push(step);
        self
    }

    /// The schema version that events of this type are written with.
    pub fn schema_version(&self, event_type: &str) -> u16 {
        let steps = self.0.get(event_type).map_or(0, Vec::len);
        u16::try_from(steps).unwrap_or(u16::MAX).saturating_add(1)
    }

    /// Lifts a payload to the present schema.
    pub(super) fn lift(&self, event_type: &str, stored: u16, payload: Value) -> Value {
        let steps = self.0.get(event_type).map_or(&[][..], Vec::as_slice);
        steps
            .iter()
            .skip(usize::from(stored).saturating_sub(1))
            .fold(payload, |payload, step| step(payload))
    }
}
