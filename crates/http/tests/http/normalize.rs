//! Normalization of values for snapshots: ids differ in each run.

use std::collections::BTreeMap;

use serde_json::Value;

const PREFIXES: [&str; 5] = ["usr_", "job_", "ph_", "evt_", "signature="];

const REPLACED: [&str; 6] = [
    "uploadId",
    "accessToken",
    "refreshToken",
    "ticket",
    "requestId",
    "cursor",
];

/// Replaces ids by `ph_1`, `ph_2`, … in their order of appearance, and random strings by placeholders.
pub(crate) fn normalized(mut value: Value) -> Value {
    normalize(&mut value, &mut BTreeMap::new());
    value
}

fn normalize(value: &mut Value, known: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => *text = normalize_text(text, known),
        Value::Array(items) => items.iter_mut().for_each(|item| normalize(item, known)),
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_string() && REPLACED.contains(&name.as_str()) {
                    *member = Value::from(format!("<{name}>"));
                }
                normalize(member, known);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn normalize_text(text: &str, known: &mut BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut normalized = String::new();
    while !rest.is_empty() {
        let prefix = PREFIXES.into_iter().find(|prefix| rest.starts_with(prefix));
        let Some(prefix) = prefix else {
            let (first, after) = rest.split_at(rest.chars().next().unwrap().len_utf8());
            normalized.push_str(first);
            rest = after;
            continue;
        };
        let end = rest[prefix.len()..]
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .map_or(rest.len(), |length| prefix.len() + length);
        let number = known.keys().filter(|name| name.starts_with(prefix)).count() + 1;
        let name = known
            .entry(rest[..end].to_owned())
            .or_insert_with(|| format!("{prefix}{number}"));
        normalized.push_str(name);
        rest = &rest[end..];
    }
    normalized
}
