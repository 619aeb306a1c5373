//! Requests that schemathesis generates from the OpenAPI document: valid ones, and ones that violate it.

use std::{path::Path, process::Command, time::Duration};

use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;
use serde_json::json;

use crate::server::{TestServer, text};

/// Examples of the document, and values at the limits of each schema and beyond: the same requests in each run. Random
/// requests differ with the speed of the machine, so that they are not part of the tests.
const PHASES: &str = "examples,coverage";
/// Time of the generation in seconds, a guard against hanging.
const SECONDS: u32 = 120;

#[tokio::test]
async fn generated_requests_get_documented_responses() {
    let app = TestServer::with(|parts| {
        let many = 1_000_000.try_into().unwrap();
        parts.config.jobs_per_minute = many;
        parts.config.progress_per_second = many;
        parts.config.requests_per_second = many;
        parts.config.anonymous_requests_per_second = many;
    })
    .await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let registered = app.post("/commands/auth/register").json(&account);
    let user: UserId = text(&registered.expect_status(201).await.json()["userId"])
        .parse()
        .unwrap();
    let scopes = [Scope::PhotosRead, Scope::PhotosWrite, Scope::Admin];
    let token = app.token(user, &scopes, Duration::from_hours(24));
    let job = app.completed_job(&token, 1).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let reports = std::env::temp_dir();
    let mut schemathesis = Command::new("schemathesis");
    schemathesis
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("http://{}/openapi.json", app.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--phases", PHASES])
        .args(["--max-time", &SECONDS.to_string()])
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PHOTO_ID", text(&job["items"][0]["photoId"]))
        .env("JOB_ID", text(&job["jobId"]))
        // The tool keeps a cache in its working directory.
        .current_dir(&reports);
    let output = tokio::task::spawn_blocking(move || schemathesis.output())
        .await
        .unwrap();
    let output = output.expect("schemathesis, which scripts/test installs, is in PATH");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
