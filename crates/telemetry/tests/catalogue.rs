//! Every metric recorded in the workspace is in the catalogue, with the right kind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use rapidphoto_telemetry::{METRICS, MetricKind};

const RECORDING_MACROS: [(&str, MetricKind); 3] = [
    ("counter!(", MetricKind::Counter),
    ("gauge!(", MetricKind::Gauge),
    ("histogram!(", MetricKind::Histogram),
];

/// Names that follow a macro's opening parenthesis as string literals.
fn names<'a>(code: &'a str, opening: &str) -> Vec<&'a str> {
    let literal = |rest: &'a str| rest.trim_start().strip_prefix('"')?.split('"').next();
    code.split(opening).skip(1).filter_map(literal).collect()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_recorded_metric_is_described() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let src = entry.unwrap().path().join("src");
        if src.is_dir() {
            sources(&src, &mut files);
        }
    }
    let mut recorded = 0;
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        for (opening, kind) in RECORDING_MACROS {
            for name in names(&code, opening) {
                let known = METRICS.iter().find(|metric| metric.name == name);
                let metric = known.unwrap_or_else(|| {
                    panic!("{} records {name}, which is not in the catalogue", file.display())
                });
                assert_eq!(metric.kind, kind, "{} in {}", name, file.display());
                recorded += 1;
            }
        }
    }
    assert!(
        recorded > 5,
        "only {recorded} metrics were found: this test no longer recognises how they are recorded"
    );
}

#[test]
fn documents_name_metrics_in_full() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let documents = docs.chain([root.join("README.md"), root.join("CHANGELOG.md")]);
    for path in documents.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&path).unwrap();
        // The names of version 0.1.0 had no prefix.
        let text = text.split("\n## 0.1.0").next().unwrap();
        for metric in METRICS {
            for end in ["`", "{"] {
                let short = format!("`{}{end}", metric.name);
                assert!(
                    !text.contains(&short),
                    "{} has {short} without the prefix",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn operators_find_every_metric_in_the_documentation() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let docs = fs::read_to_string(docs).unwrap();
    for metric in METRICS {
        let name = format!("`{}`", metric.full_name());
        assert!(
            docs.contains(&name),
            "docs/operations.md does not describe {name}"
        );
    }
}
