//! Data directory: exclusive use, configuration errors and verification of the database.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::{command, new_user};

use crate::fixtures::{DataDir, binary, declare, finished_job, jpeg, photo, statuses};

#[tokio::test(flavor = "multi_thread")]
async fn a_manipulated_database_fails_verification() {
    let data_dir = DataDir::new();
    let mut running = data_dir.start().await;
    let bytes = photo(1);
    let (job_id, items) = declare(&running.session, &[jpeg(&bytes)]).await;
    running.session.put(&items[0], bytes).await.unwrap();
    let job = finished_job(&running.session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
    assert!(running.server.terminate().await.unwrap().success());
    data_dir.assert_verified();

    let database = data_dir.path().join("record.sqlite");
    let sqlite = |sql: &str| Command::new("sqlite3").arg(&database).arg(sql).output().unwrap();
    let rejected = sqlite("DELETE FROM events");
    assert!(
        !rejected.status.success(),
        "the database itself rejects deleting events: {rejected:?}"
    );
    let changed = sqlite("UPDATE photos SET state = replace(state, '\"COMPLETED\"', '\"CANCELLED\"')");
    assert!(changed.status.success(), "{changed:?}");
    let verified = data_dir.command(&["admin", "verify"]);
    assert!(!verified.status.success());
    let output = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(output.contains(&items[0].photo_id), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_fails_if_there_is_nothing_to_verify() {
    let data_dir = DataDir::new();
    let missing = data_dir.command(&["admin", "verify"]);
    assert!(!missing.status.success());
    assert!(
        !data_dir.path().exists(),
        "verification does not create the data directory"
    );
    let mut running = data_dir.start().await;
    assert!(running.server.terminate().await.unwrap().success());
    data_dir.assert_verified();
    let other = command(binary())
        .args(["admin", "verify", "--data-dir"])
        .arg(data_dir.path())
        .env("RAPIDPHOTO_STORAGE__ENVIRONMENT", "elsewhere")
        .output()
        .unwrap();
    assert!(
        !other.status.success(),
        "there are no streams of another environment: {other:?}"
    );
}

#[test]
fn documented_commands_name_the_configuration() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let text = std::fs::read_to_string(format!("{root}/docs/operations.md")).unwrap();
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let commands: Vec<_> = blocks
        .flat_map(str::lines)
        .filter(|line| line.contains("rapidphoto admin"))
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for line in commands {
        assert!(line.contains("--config /etc/rapidphoto.toml"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administration_refuses_data_of_another_environment() {
    let data_dir = DataDir::new();
    let backup = data_dir.path().with_extension("backup");
    let backup = backup.to_str().unwrap();
    let environment = "RAPIDPHOTO_STORAGE__ENVIRONMENT";
    let options = DataDir::options().with(environment, "prod");
    let admin = |arguments: &[&str], environment_of_command: &str| {
        let mut child = command(binary())
            .arg("admin")
            .args(arguments)
            .arg("--data-dir")
            .arg(data_dir.path())
            .env(environment, environment_of_command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads no password may have ended.
        let _ = child.stdin.take().unwrap().write_all(b"staple battery horse\n");
        child.wait_with_output().unwrap()
    };
    let refused = |arguments: &[&str], named: &str| {
        let output = admin(arguments, "local");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && message.contains(named),
            "{arguments:?}: {output:?}"
        );
    };
    let add = ["user", "add", "bob@example.org"];

    let mut server = data_dir.serve(&options).await;
    refused(&add, "`local`");
    new_user(&server.client().unwrap()).await.unwrap();
    refused(&add, "`prod`");
    assert!(server.terminate().await.unwrap().success());
    for arguments in [&add[..], &["backup", "--to", backup], &["rotate-keys"]] {
        refused(arguments, "`prod`");
    }
    for arguments in [
        &add[..],
        &["rotate-keys"],
        &["backup", "--to", backup],
        &["verify"],
    ] {
        let output = admin(arguments, "prod");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let mut server = data_dir.serve(&options).await;
    let client = server.client().unwrap();
    client
        .log_in("bob@example.org", "staple battery horse")
        .await
        .unwrap();
    assert!(server.terminate().await.unwrap().success());

    // A backup whose manifest is of another environment than its data.
    let manifest = format!("{backup}/backup.json");
    let changed = std::fs::read_to_string(&manifest)
        .unwrap()
        .replace("\"prod\"", "\"local\"");
    std::fs::write(&manifest, changed.replace("\"streams\": 2", "\"streams\": 0")).unwrap();
    std::fs::remove_dir_all(data_dir.path()).unwrap();
    refused(&["restore", "--from", backup], "`prod`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_server_at_a_time() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let second = data_dir.command(&["serve", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    let output = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(output.contains("another process"), "{output}");
    drop(running);
}

#[test]
fn an_invalid_configuration_is_reported_before_anything_starts() {
    let check = |variables: &[(&str, &str)]| {
        command(binary())
            .args(["serve", "--check-config"])
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    };
    let valid = check(&[("RAPIDPHOTO_UPLOADS__URL_LIFETIME", "5m")]);
    assert!(valid.status.success());
    assert!(String::from_utf8_lossy(&valid.stdout).contains("\"5m\""));
    let invalid = check(&[
        ("RAPIDPHOTO_SERVER__LISTEN", "nowhere"),
        ("RAPIDPHOTO_UPLOADS__MAX_FILES", "0"),
    ]);
    let output = String::from_utf8_lossy(&invalid.stderr).into_owned();
    assert!(!invalid.status.success());
    assert!(
        output.contains("RAPIDPHOTO_SERVER__LISTEN: must be")
            && output.contains("RAPIDPHOTO_UPLOADS__MAX_FILES: must be"),
        "{output}"
    );
    let all = check(&[
        ("RAPIDPHOTO_SERVER__LISTN", "127.0.0.1:1"),
        ("RAPIDPHOTO_SERVER__ALLOWED_ORIGINS", "https://app.example.org"),
        ("RAPIDPHOTO_UPLOADS__MAX_FILES", "many"),
        ("RAPIDPHOTO_DATA_DIR", "/nowhere"),
        ("RAPIDPHOTO_LOG__FILTER", "a=b=c"),
    ]);
    let output = String::from_utf8_lossy(&all.stderr).into_owned();
    for line in [
        "RAPIDPHOTO_SERVER__LISTN: unknown key; known ones are listen, ",
        "RAPIDPHOTO_SERVER__ALLOWED_ORIGINS: must be a list in brackets, such as [\"https://app.example.org\"]",
        "RAPIDPHOTO_UPLOADS__MAX_FILES: invalid type: found string \"many\"",
        "RAPIDPHOTO_DATA_DIR: names no section and key",
        "RAPIDPHOTO_LOG__FILTER: ",
    ] {
        assert!(output.contains(line), "{line}: {output}");
    }
    let numeric = check(&[("RAPIDPHOTO_STORAGE__BUCKET", "2026")]);
    assert!(
        numeric.status.success(),
        "text that looks like a number: {numeric:?}"
    );
    let stray = check(&[("RAPIDPHOTO_DATA_DIR", "/nowhere")]);
    assert!(!stray.status.success());
    assert!(
        String::from_utf8_lossy(&stray.stderr).contains("RAPIDPHOTO_DATA_DIR"),
        "{stray:?}"
    );
    let filter = check(&[("RAPIDPHOTO_LOG__FILTER", "a=b=c")]);
    assert!(
        String::from_utf8_lossy(&filter.stderr).contains("RAPIDPHOTO_LOG__FILTER"),
        "{filter:?}"
    );
    let unknown = check(&[("RAPIDPHOTO_SERVER__LISTN", "127.0.0.1:1")]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("RAPIDPHOTO_SERVER__LISTN"));
}
