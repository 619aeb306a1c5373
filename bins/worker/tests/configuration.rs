//! The worker's configuration.

use std::process::Command;

#[test]
fn the_worker_needs_no_keys_of_the_api() {
    let checked = Command::new(env!("CARGO_BIN_EXE_rapidphoto-worker"))
        .env_clear()
        .env("RAPIDPHOTO_DATABASE__URL", "postgres://db.example.org/photos")
        .env("RAPIDPHOTO_EVENTS__SOURCE", "sqs")
        .env(
            "RAPIDPHOTO_EVENTS__SQS_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/1/photos",
        )
        .env("RAPIDPHOTO_STORAGE__CREDENTIALS", "chain")
        .args(["serve", "--check-config"])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn a_source_of_events_is_needed() {
    let checked = Command::new(env!("CARGO_BIN_EXE_rapidphoto-worker"))
        .env_clear()
        .arg("--check-config")
        .output()
        .unwrap();
    let message = String::from_utf8(checked.stderr).unwrap();
    assert!(
        message.contains("broker.url") && message.contains("database.url"),
        "{message}"
    );
}
