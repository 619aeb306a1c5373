//! The data directory: who may use it, and that its record is sound.

use std::process::Command;

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::command;

use crate::bench::{Bench, binary, ended, jpeg, photo, promise, statuses};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_tampered_with_is_found_out() {
    let bench = Bench::new();
    let mut running = bench.start().await;
    let bytes = photo(1);
    let (job_id, items) = promise(&running.session, &[jpeg(&bytes)]).await;
    running.session.put(&items[0], bytes).await.unwrap();
    let job = ended(&running.session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
    assert!(running.server.terminate().await.unwrap().success());
    bench.assert_verified();

    let record = bench.data_dir().join("record.sqlite");
    let sqlite = |sql: &str| Command::new("sqlite3").arg(&record).arg(sql).output().unwrap();
    let refused = sqlite("DELETE FROM events");
    assert!(
        !refused.status.success(),
        "the log is append-only for everybody: {refused:?}"
    );
    let changed = sqlite("UPDATE photos SET state = replace(state, '\"COMPLETED\"', '\"CANCELLED\"')");
    assert!(changed.status.success(), "{changed:?}");
    let verified = bench.admin(&["admin", "verify"]);
    assert!(!verified.status.success());
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(said.contains(&items[0].photo_id), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_no_proof() {
    let bench = Bench::new();
    let missing = bench.admin(&["admin", "verify"]);
    assert!(!missing.status.success());
    assert!(!bench.data_dir().exists(), "looking makes nothing");
    let mut running = bench.start().await;
    assert!(running.server.terminate().await.unwrap().success());
    bench.assert_verified();
    let other = command(binary())
        .args(["admin", "verify", "--data-dir"])
        .arg(bench.data_dir())
        .env("RAPIDPHOTO_STORAGE__ENVIRONMENT", "elsewhere")
        .output()
        .unwrap();
    assert!(!other.status.success(), "another environment's record: {other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_server_at_a_time() {
    let bench = Bench::new();
    let running = bench.start().await;
    let second = bench.admin(&["serve", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another process"), "{said}");
    drop(running);
}

#[test]
fn a_configuration_that_cannot_be_right_is_told_before_anything_starts() {
    let check = |variables: &[(&str, &str)]| {
        command(binary())
            .args(["serve", "--check-config"])
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    };
    let good = check(&[("RAPIDPHOTO_UPLOADS__URL_LIFETIME", "5m")]);
    assert!(good.status.success());
    assert!(String::from_utf8_lossy(&good.stdout).contains("\"5m\""));
    let bad = check(&[
        ("RAPIDPHOTO_SERVER__LISTEN", "nowhere"),
        ("RAPIDPHOTO_UPLOADS__MAX_FILES", "0"),
    ]);
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(!bad.status.success());
    assert!(
        said.contains("server.listen") && said.contains("uploads.max_files"),
        "{said}"
    );
    let stray = check(&[("RAPIDPHOTO_DATA_DIR", "/nowhere")]);
    assert!(!stray.status.success());
    assert!(
        String::from_utf8_lossy(&stray.stderr).contains("RAPIDPHOTO_DATA_DIR"),
        "{stray:?}"
    );
    let filter = check(&[("RAPIDPHOTO_LOG__FILTER", "a=b=c")]);
    assert!(
        String::from_utf8_lossy(&filter.stderr).contains("log.filter"),
        "{filter:?}"
    );
    let unknown = check(&[("RAPIDPHOTO_SERVER__LISTN", "127.0.0.1:1")]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("listn"));
}
