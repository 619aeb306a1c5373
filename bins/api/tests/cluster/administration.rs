//! Start, readiness and administration.

use std::process::Command;

use rapidphoto_testkit::PASSWORD;

use crate::deployment::Deployment;

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_administered_and_stops_in_order() {
    let mut deployment = Deployment::start(1, 1).await;
    let session = deployment.new_user("one@example.org").await;
    let listed = deployment.command(&["admin", "user", "list"]);
    assert!(
        String::from_utf8_lossy(&listed.stdout).contains("one@example.org"),
        "{listed:?}"
    );
    let disabled = deployment.command(&["admin", "user", "disable", "one@example.org"]);
    assert!(disabled.status.success(), "{disabled:?}");
    deployment
        .client(0)
        .log_in("one@example.org", PASSWORD)
        .await
        .unwrap_err();
    drop(session);
    deployment.assert_verified();
    // Migrated a second time: nothing to do.
    let migrated = deployment.command(&["migrate"]);
    assert!(migrated.status.success(), "{migrated:?}");

    for process in deployment.apis.iter_mut().chain(&mut deployment.workers) {
        let status = process.terminate().await.unwrap();
        assert!(status.success(), "{status}\n{}", process.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_tell_operators_that_they_are_ready() {
    let deployment = Deployment::start(1, 1).await;
    let processes = [&deployment.apis[0], &deployment.workers[0], &deployment.store];
    for process in processes {
        let operations = process.announced("operations").unwrap();
        let ready = reqwest::get(format!("{operations}/readyz")).await.unwrap();
        assert_eq!(ready.status(), 200, "{}", ready.text().await.unwrap());
        let metrics = reqwest::get(format!("{operations}/metrics")).await.unwrap();
        assert!(metrics.text().await.unwrap().contains("rapidphoto_build_info"));
    }
}

#[test]
fn a_program_names_all_that_is_not_configured() {
    let binary = env!("CARGO_BIN_EXE_rapidphoto-api");
    let checked = Command::new(binary)
        .env_clear()
        .arg("--check-config")
        .output()
        .unwrap();
    assert!(!checked.status.success());
    let message = String::from_utf8(checked.stderr).unwrap();
    for key in [
        "database.url",
        "broker.url",
        "storage.access_key",
        "secrets.token_key",
        "secrets.refresh_key",
    ] {
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn secrets_are_read_from_files_and_never_printed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, format!("{}\n", "5e".repeat(32))).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_rapidphoto-api"))
        .env_clear()
        .env("RAPIDPHOTO_DATABASE__URL", "postgres://db.example.org/photos")
        .env("RAPIDPHOTO_DATABASE__PASSWORD", "hunter2")
        .env("RAPIDPHOTO_BROKER__URL", "amqp://mq.example.org")
        .env("RAPIDPHOTO_STORAGE__CREDENTIALS", "chain")
        .env("RAPIDPHOTO_SECRETS__TOKEN_KEY_FILE", &file)
        .env("RAPIDPHOTO_SECRETS__REFRESH_KEY_FILE", &file)
        .arg("--check-config")
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let printed = String::from_utf8(checked.stdout).unwrap();
    assert!(
        !printed.contains("hunter2") && !printed.contains("5e5e"),
        "{printed}"
    );
    assert!(printed.contains("\"token_key\": \"…\""), "{printed}");

    let both = Command::new(env!("CARGO_BIN_EXE_rapidphoto-api"))
        .env_clear()
        .env("RAPIDPHOTO_DATABASE__PASSWORD", "hunter2")
        .env("RAPIDPHOTO_DATABASE__PASSWORD_FILE", &file)
        .arg("--check-config")
        .output()
        .unwrap();
    let message = String::from_utf8(both.stderr).unwrap();
    assert!(
        message.contains("RAPIDPHOTO_DATABASE__PASSWORD is set, too"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_migrate_a_new_database_at_once() {
    let deployment = Deployment::start(0, 0).await;
    deployment.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let start = || deployment.new_api_that_migrates();
    let (one, other) = tokio::join!(start(), start());
    drop((one, other));
    let applied =
        deployment.query("SELECT count(*) = count(DISTINCT version) FROM __diesel_schema_migrations");
    assert_eq!(applied, "t");
}
