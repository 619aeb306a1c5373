//! The macros run every case: their lists contain all cases.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_database_case_is_listed() {
    every_case_is_listed("database", &["DatabaseHarness", "SingleProcessHarness"]);
}

#[test]
fn every_object_case_is_listed() {
    every_case_is_listed("objects", &["ObjectHarness", "MultipartHarness"]);
}

fn every_case_is_listed(folder: &str, harnesses: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let list = fs::read_to_string(folder.join("suites.rs")).unwrap();
    let mut suite = "";
    let mut listed = BTreeSet::new();
    for line in list.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(": [") {
            suite = name;
        } else if let Some(case) = line
            .strip_suffix(',')
            .filter(|case| !case.contains([' ', ']', '$']))
        {
            assert!(
                listed.insert(format!("{suite}::{case}")),
                "{suite}::{case} is listed twice"
            );
        }
    }
    let mut written = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let suite = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let case = line
                .strip_prefix("pub async fn ")
                .and_then(|rest| rest.split_once("<H: "))
                .filter(|(_, rest)| {
                    harnesses
                        .iter()
                        .any(|harness| rest.starts_with(&format!("{harness}>(")))
                });
            if let Some((case, _)) = case {
                written.insert(format!("{suite}::{case}"));
            }
        }
    }
    assert!(!written.is_empty());
    assert_eq!(listed, written);
}
