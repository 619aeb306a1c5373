//! Uppy as published uploads from pages in a real browser. The tests are clients/uppy/test, in JavaScript.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::fixtures::binary;

#[tokio::test]
async fn uppy_6_uploads_by_single_puts() {
    run("uppy6.test.js").await;
}

#[tokio::test]
async fn the_types_of_the_uppy_package_fit_those_of_uppy() {
    run("types.test.js").await;
}

/// Runs a file of tests, which start the server themselves.
async fn run(file: &str) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/uppy");
    for variable in ["UPPY6_PACKAGES", "UPPY5_PACKAGES"] {
        let installed = std::env::var_os(variable);
        assert!(
            installed.is_some(),
            "{variable} is required; scripts/test installs the packages and sets it"
        );
    }
    let tests = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .arg(package.join("test").join(file))
        .env("RAPIDPHOTO", binary())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    // Each of the tests has a limit of its own, after which it ends its server and browser.
    let output = tokio::time::timeout(Duration::from_mins(20), tests)
        .await
        .expect("the tests did not end within 20 min")
        .expect("Node is required; scripts/test installs it");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
