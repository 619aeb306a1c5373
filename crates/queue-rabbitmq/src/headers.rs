//! Headers of dead letters.

use std::collections::BTreeMap;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use rapidphoto_domain::Timestamp;

/// Reason, written by the consumer.
const REASON: &str = "rapidphoto-reason";
/// Time of dead-lettering in milliseconds since 1970, written by the consumer.
const AT: &str = "rapidphoto-dead-at";
/// Written by the broker: an array with the newest entry first.
const BROKERS: &str = "x-death";
/// Beginnings of the broker's other headers about returns and dead-lettering.
const BROKERS_PREFIXES: [&str; 4] = ["x-death", "x-first-death", "x-last-death", "x-delivery-count"];

/// Properties of a message that the consumer dead-letters: its own, the reason and the time.
pub(crate) fn dead(properties: &BasicProperties, reason: &str, at: Timestamp) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    headers.insert(REASON.into(), AMQPValue::LongString(reason.into()));
    headers.insert(AT.into(), AMQPValue::LongLongInt(at.timestamp_millis()));
    properties.clone().with_headers(headers).with_delivery_mode(2)
}

/// Properties of a dead letter that is redriven: as before its death, so that its deliveries are counted anew.
pub(crate) fn redriven(properties: &BasicProperties) -> BasicProperties {
    let is_kept = |name: &ShortString| {
        ![REASON, AT].contains(&name.as_str())
            && !BROKERS_PREFIXES
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix))
    };
    let headers = properties.headers().clone().unwrap_or_default();
    let kept: BTreeMap<ShortString, AMQPValue> = headers
        .into_iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    properties
        .clone()
        .with_headers(FieldTable::from(kept))
        .with_delivery_mode(2)
}

/// Reason and time of a dead letter.
pub(crate) fn reason(properties: &BasicProperties) -> (String, Option<Timestamp>) {
    let headers = properties.headers().as_ref();
    let header = |name: &str| headers.and_then(|headers| headers.inner().get(name));
    if let Some(AMQPValue::LongString(reason)) = header(REASON) {
        let at = match header(AT) {
            Some(AMQPValue::LongLongInt(millis)) => Timestamp::from_timestamp_millis(*millis),
            _ => None,
        };
        return (reason.to_string(), at);
    }
    let death = match header(BROKERS) {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        _ => None,
    };
    let Some(AMQPValue::FieldTable(death)) = death else {
        return ("unknown".to_owned(), None);
    };
    let at = match death.inner().get("time") {
        Some(AMQPValue::Timestamp(seconds)) => i64::try_from(*seconds)
            .ok()
            .and_then(|seconds| Timestamp::from_timestamp(seconds, 0)),
        _ => None,
    };
    let reason = match death.inner().get("reason") {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        _ => "unknown".to_owned(),
    };
    let reason = match reason.as_str() {
        "delivery_limit" => {
            "its handler panicked, or the process ended, at every delivery (delivery_limit)".to_owned()
        }
        _ => format!("the broker has dead-lettered it ({reason})"),
    };
    (reason, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redriven_message_has_its_original_headers() {
        let mut headers = FieldTable::default();
        headers.insert("store".into(), AMQPValue::LongString("ceph".into()));
        headers.insert("x-death".into(), AMQPValue::FieldArray(vec![].into()));
        headers.insert("x-first-death-reason".into(), AMQPValue::LongString("x".into()));
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(9));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_message_id("7".into());
        let at = Timestamp::from_timestamp_millis(1_700_000_000_123).unwrap();
        let dead = dead(&properties, "not JSON", at);
        assert_eq!(reason(&dead), ("not JSON".to_owned(), Some(at)));
        let redriven = redriven(&dead);
        let names: Vec<String> = redriven
            .headers()
            .as_ref()
            .unwrap()
            .inner()
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["store"]);
        assert_eq!(redriven.message_id().as_ref().unwrap().as_str(), "7");
    }

    #[test]
    fn a_message_without_headers_has_an_unknown_reason() {
        assert_eq!(reason(&BasicProperties::default()), ("unknown".to_owned(), None));
    }
}
