//! Snapshots name things by the order in which they appear: ids are different in each run of the whole program.

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

/// The same value with `ph_1`, `ph_2`, … for the ids in it, and without upload ids.
pub(crate) fn renamed(mut value: Value) -> Value {
    rename(&mut value, &mut BTreeMap::new());
    value
}

fn rename(value: &mut Value, known: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => *text = rename_text(text, known),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, known)),
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_string() && REPLACED.contains(&name.as_str()) {
                    *member = Value::from(format!("<{name}>"));
                }
                rename(member, known);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn rename_text(text: &str, known: &mut BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut renamed = String::new();
    while !rest.is_empty() {
        let prefix = PREFIXES.into_iter().find(|prefix| rest.starts_with(prefix));
        let Some(prefix) = prefix else {
            let (first, after) = rest.split_at(rest.chars().next().unwrap().len_utf8());
            renamed.push_str(first);
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
        renamed.push_str(name);
        rest = &rest[end..];
    }
    renamed
}
