//! Programs that use the store, unmodified: boto3 and the aws command, which `scripts/test` installs.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{ACCESS_KEY, BUCKET, SECRET_KEY, StorageServer, TEST_TIMEOUT};

/// A region for which these programs presign URLs with Signature Version 4. For older ones, they prefer version 2, which the
/// store refuses, unless they are configured otherwise (`signature_version`).
const REGION: &str = "eu-central-1";

/// Program on the `PATH`.
fn installed(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed; scripts/test installs it"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// Runs a program against a new store until it ends, and fails unless it succeeds.
async fn run(program: &Path, script: &Path) {
    let server = StorageServer::with_config(|config| REGION.clone_into(&mut config.region)).await;
    let directory = TempDir::new().unwrap();
    let output = Command::new(program)
        .arg(script)
        .current_dir(directory.path())
        .env("AWS_ENDPOINT_URL", format!("http://{}", server.address))
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_CONFIG_FILE", directory.path().join("none"))
        .env("AWS_SHARED_CREDENTIALS_FILE", directory.path().join("none"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("LC_ALL", "C.UTF-8")
        .env("BUCKET", BUCKET)
        .env("WORK", directory.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(10 * TEST_TIMEOUT, output)
        .await
        .expect("the program ends")
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    server.wait_for_no_incoming().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_succeeds_with_every_operation() {
    // Its environment has boto3, too.
    let python = installed("moto_server").with_file_name("python3");
    run(&python, &script("boto3_operations.py")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_succeeds_with_every_operation() {
    installed("aws");
    run(&installed("bash"), &script("aws_cli.sh")).await;
}
