//! Replays the committed fuzz corpora through the properties that the fuzz targets check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod fuzz {
    pub(crate) mod dialect;
}

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum number of seeds and regressions in a crate, so that a replay takes seconds.
const MAX_FILES: usize = 150;
const TARGETS: [&str; 1] = ["dialect"];

#[test]
fn dialect() {
    replay("dialect", fuzz::dialect::check);
}

#[test]
fn corpora_are_complete_and_small() {
    let expected = BTreeSet::from(TARGETS.map(str::to_owned));
    assert_eq!(stems("fuzz_targets"), expected, "a test for each fuzz target");
    assert_eq!(stems("corpus"), expected, "a corpus for each fuzz target");
    let count = TARGETS
        .into_iter()
        .map(|target| corpus(target).len())
        .sum::<usize>();
    assert!(
        count <= MAX_FILES,
        "{count} files in fuzz/corpus, at most {MAX_FILES} are allowed: remove some"
    );
}

/// Checks the property of a target on every file of its corpus.
fn replay(target: &str, check: fn(&[u8])) {
    for file in corpus(target) {
        let data = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&data));
        assert!(
            outcome.is_ok(),
            "the property of `{target}` fails for {}",
            file.display()
        );
    }
}

/// Files of a target's corpus, by name.
fn corpus(target: &str) -> Vec<PathBuf> {
    let files = entries(&Path::new("corpus").join(target));
    assert!(!files.is_empty(), "the corpus of `{target}` is empty");
    files
}

/// Names in a directory of `fuzz`, without extensions.
fn stems(directory: &str) -> BTreeSet<String> {
    let entries = entries(Path::new(directory));
    entries
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .map(str::to_owned)
        .collect()
}

/// Paths in a directory of `fuzz`, sorted.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(directory);
    assert!(directory.is_dir(), "{} is missing", directory.display());
    let read = fs::read_dir(&directory).unwrap();
    let mut paths: Vec<_> = read.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
