//! Backups of a running server, their restoration, and the secrets of a data directory.

use std::{
    fs,
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rapidphoto_client::{Session, types::PhotoStatus};
use rapidphoto_testkit::{PASSWORD, Server, command};
use serde_json::{Value, json};

use crate::fixtures::{DataDir, binary, declare, finished_job, jpeg, photo, statuses};

fn backup(data_dir: &DataDir, to: &Path) -> Output {
    data_dir.command(&["admin", "backup", "--to", to.to_str().unwrap()])
}

fn restore(data_dir: &DataDir, from: &Path) -> Output {
    data_dir.command(&["admin", "restore", "--from", from.to_str().unwrap()])
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const EMAIL: &str = "backup@example.org";

/// Starts a server with an account of [`EMAIL`].
async fn start_with_account(data_dir: &DataDir) -> (Server, Session) {
    let server = data_dir.serve(&DataDir::options()).await;
    let client = server.client().unwrap();
    client.register(EMAIL, PASSWORD).await.unwrap();
    let session = client.log_in(EMAIL, PASSWORD).await.unwrap();
    (server, session)
}

/// A new access token.
async fn access_token(server: &Server) -> String {
    let answer = reqwest::Client::new()
        .post(format!("{}/commands/auth/login", server.api()))
        .json(&json!({ "email": EMAIL, "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    let tokens: Value = answer.json().await.unwrap();
    tokens["accessToken"].as_str().unwrap().to_owned()
}

/// Status of a request with an access token, on a new server, which is stopped again.
async fn status_on_next_server(data_dir: &DataDir, token: &str) -> u16 {
    let mut server = data_dir.serve(&DataDir::options()).await;
    let answer = reqwest::Client::new()
        .get(format!("{}/queries/photos", server.api()))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(server.terminate().await.unwrap().success());
    answer.status().as_u16()
}

/// Uploads photos and deletes every third one, until it is stopped. Returns the number of uploads.
async fn upload_and_delete(session: Session, stop: Arc<AtomicBool>) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let bytes = photo(number);
        let (job_id, items) = declare(&session, &[jpeg(&bytes)]).await;
        session.put(&items[0], bytes).await.unwrap();
        let job = finished_job(&session, &job_id).await;
        assert_eq!(statuses(&job), [PhotoStatus::Completed]);
        if number % 3 == 0 {
            session.delete_photo(&items[0].photo_id).await.unwrap();
        }
        number += 1;
    }
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_is_restored_whole() {
    let data_dir = DataDir::new();
    let (mut server, session) = start_with_account(&data_dir).await;
    let token = access_token(&server).await;
    let backups = tempfile::tempdir().unwrap();
    let before = upload_some(&session, 3).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..3)
        .map(|_| tokio::spawn(upload_and_delete(session.clone(), Arc::clone(&stop))))
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut restored = Vec::new();
    for number in 0..3 {
        let from = backups.path().join(number.to_string());
        let output = backup(&data_dir, &from);
        assert!(output.status.success(), "{output:?}");
        let target = DataDir::new();
        let output = restore(&target, &from);
        assert!(output.status.success(), "{output:?}");
        target.assert_verified();
        let again = restore(&target, &from);
        assert!(
            !again.status.success() && stderr(&again).contains("not empty"),
            "{again:?}"
        );
        restored.push(target);
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        assert_ne!(task.await.unwrap(), 0, "there was load");
    }
    let again = backup(&data_dir, &backups.path().join("0"));
    assert!(
        !again.status.success() && stderr(&again).contains("not empty"),
        "{again:?}"
    );
    assert!(server.terminate().await.unwrap().success());

    for restored in restored {
        assert_eq!(
            status_on_next_server(&restored, &token).await,
            200,
            "the keys are restored"
        );

        let mut server = restored.serve(&DataDir::options()).await;
        let session = server.client().unwrap().log_in(EMAIL, PASSWORD).await.unwrap();
        let photos = session
            .photos(&[("status", "COMPLETED"), ("size", "100")])
            .await
            .unwrap();
        let ids: Vec<_> = photos.items.iter().map(|photo| photo.photo_id.clone()).collect();
        assert!(before.iter().all(|photo| ids.contains(photo)), "{ids:?}");
        for id in &ids {
            for variant in ["original", "256", "1024"] {
                let url = session.download_url(id, variant).await.unwrap().url;
                let answer = reqwest::get(url).await.unwrap();
                assert!(answer.status().is_success(), "{variant} of {id}: {answer:?}");
            }
        }
        assert!(server.terminate().await.unwrap().success());
    }
}

/// Identifiers of this many completed photos.
async fn upload_some(session: &Session, count: u64) -> Vec<String> {
    let photos: Vec<_> = (1000..1000 + count).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(session, &files).await;
    for (item, bytes) in items.iter().zip(&photos) {
        session.put(item, bytes.clone()).await.unwrap();
    }
    let job = finished_job(session, &job_id).await;
    assert!(
        statuses(&job)
            .iter()
            .all(|status| *status == PhotoStatus::Completed)
    );
    items.into_iter().map(|item| item.photo_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_interrupted_backups_are_recognised() {
    let data_dir = DataDir::new();
    let mut running = data_dir.start().await;
    upload_some(&running.session, 1).await;
    assert!(running.server.terminate().await.unwrap().success());
    let backups = tempfile::tempdir().unwrap();
    let from = backups.path().join("backup");
    assert!(
        backup(&data_dir, &from).status.success(),
        "of a server that is not running"
    );

    let objects = || walk(&from.join("objects/buckets"));
    let lost = objects().remove(0);
    fs::rename(&lost, backups.path().join("lost")).unwrap();
    let target = DataDir::new();
    let output = restore(&target, &from);
    assert!(!output.status.success(), "{output:?}");
    let refused = target.command(&["serve", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"]);
    assert!(
        stderr(&refused).contains("not completely restored"),
        "{refused:?}"
    );

    // The inode is shared with the original: a changed copy takes the place of the link.
    let mut bytes = fs::read(backups.path().join("lost")).unwrap();
    bytes[0] ^= 1;
    fs::write(&lost, bytes).unwrap();
    let target = DataDir::new();
    let output = restore(&target, &from);
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("damaged: "),
        "{output:?}"
    );

    fs::remove_file(from.join("backup.json")).unwrap();
    let output = restore(&DataDir::new(), &from);
    assert!(
        !output.status.success() && stderr(&output).contains("interrupted"),
        "{output:?}"
    );
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_changes_no_file_and_runs_beside_a_server() {
    let data_dir = DataDir::new();
    let mut running = data_dir.start().await;
    upload_some(&running.session, 1).await;
    data_dir.assert_verified();
    assert!(running.server.terminate().await.unwrap().success());
    let copy = DataDir::new();
    fs::create_dir(copy.path()).unwrap();
    fs::copy(
        data_dir.path().join("record.sqlite"),
        copy.path().join("record.sqlite"),
    )
    .unwrap();
    copy.assert_verified();
    assert_eq!(walk(&copy.path()), [copy.path().join("record.sqlite")]);
    assert_eq!(
        fs::read(copy.path().join("record.sqlite")).unwrap(),
        fs::read(data_dir.path().join("record.sqlite")).unwrap()
    );
}

/// Starts a server that must refuse, and returns its message.
fn refused(data_dir: &DataDir, environment: &[(&str, &str)]) -> String {
    let output = command(binary())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--s3-listen",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(data_dir.path())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    stderr(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_or_foreign_secrets_are_refused_until_the_keys_are_rotated() {
    let data_dir = DataDir::new();
    let (mut server, _) = start_with_account(&data_dir).await;
    let token = access_token(&server).await;
    assert!(server.terminate().await.unwrap().success());
    let secrets = data_dir.path().join("secrets.json");
    let kept = fs::read(&secrets).unwrap();

    fs::remove_file(&secrets).unwrap();
    let message = refused(&data_dir, &[]);
    assert!(
        message.contains("secrets.json is missing") && message.contains("rotate-keys"),
        "{message}"
    );
    assert!(!secrets.exists(), "no new secrets are made");

    let other = DataDir::new();
    let mut server = other.serve(&DataDir::options()).await;
    assert!(server.terminate().await.unwrap().success());
    fs::copy(other.path().join("secrets.json"), &secrets).unwrap();
    let message = refused(&data_dir, &[]);
    assert!(message.contains("does not belong to the database"), "{message}");

    fs::remove_file(&secrets).unwrap();
    assert!(data_dir.command(&["admin", "rotate-keys"]).status.success());
    assert_eq!(status_on_next_server(&data_dir, &token).await, 401);
    fs::write(&secrets, kept).unwrap();
    assert!(refused(&data_dir, &[]).contains("does not belong to the database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_survive_a_rotation_of_the_keys_unless_these_are_compromised() {
    let data_dir = DataDir::new();
    let (mut server, _) = start_with_account(&data_dir).await;
    let token = access_token(&server).await;
    let held = data_dir.command(&["admin", "rotate-keys"]);
    assert!(
        !held.status.success() && stderr(&held).contains("another process"),
        "{held:?}"
    );
    assert!(server.terminate().await.unwrap().success());
    assert!(data_dir.command(&["admin", "rotate-keys"]).status.success());
    assert_eq!(status_on_next_server(&data_dir, &token).await, 200);
    assert!(
        data_dir
            .command(&["admin", "rotate-keys", "--compromised"])
            .status
            .success()
    );
    assert_eq!(status_on_next_server(&data_dir, &token).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_without_data_is_refused_beside_another_with_data() {
    let data_dir = DataDir::new();
    let mut running = data_dir.start().await;
    assert!(running.server.terminate().await.unwrap().success());
    let message = refused(&data_dir, &[("RAPIDPHOTO_STORAGE__ENVIRONMENT", "prod")]);
    assert!(
        message.contains("`local`") && message.contains("`prod`"),
        "{message}"
    );
    assert!(
        data_dir
            .serve(&DataDir::options())
            .await
            .terminate()
            .await
            .unwrap()
            .success()
    );
}
