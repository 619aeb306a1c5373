//! Accounts: administration from the command line, and logins under attack.

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
    process::{Output, Stdio},
    time::Duration,
};

use futures::future::join_all;
use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::{PASSWORD, command};
use reqwest::StatusCode;
use serde_json::json;

use crate::fixtures::{DataDir, binary, declare, files_below, finished_job, jpeg, photo, statuses};

const EMAIL: &str = "ada@example.org";

impl DataDir {
    /// Runs `rapidphoto admin user …` with this standard input.
    fn user(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = command(binary())
            .args(["admin", "user", "--data-dir"])
            .arg(self.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn user_ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.user(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_administered_on_a_running_and_on_a_stopped_server() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_AUTH__REGISTRATION", "closed");
    let mut server = data_dir.serve(&options).await;
    let client = server.client().unwrap();
    client.register(EMAIL, PASSWORD).await.unwrap_err();
    data_dir.user_ok(&["add", EMAIL], &format!("{PASSWORD}\n"));
    let session = client.log_in(EMAIL, PASSWORD).await.unwrap();
    let bytes = photo(1);
    let (job_id, items) = declare(&session, &[jpeg(&bytes)]).await;
    session.put(&items[0], bytes).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);

    let objects = data_dir.path().join("objects/buckets");
    assert!(files_below(&objects) >= 3);

    data_dir.user_ok(&["disable", EMAIL], "");
    client.log_in(EMAIL, PASSWORD).await.unwrap_err();
    assert!(server.terminate().await.unwrap().success());
    data_dir.user_ok(&["enable", EMAIL], "");
    data_dir.user_ok(&["set-password", EMAIL], "staple battery horse\n");
    data_dir.user_ok(&["grant-admin", EMAIL], "");
    let listed = data_dir.user_ok(&["list"], "");
    assert!(
        listed.contains("\tactive\tadmin\t") && listed.contains(EMAIL),
        "{listed}"
    );
    for (arguments, input) in [
        (&["add", EMAIL][..], PASSWORD),
        (&["add", "bob@example.org"], ""),
        (&["delete", "nobody@example.org"], ""),
    ] {
        assert!(!data_dir.user(arguments, input).status.success(), "{arguments:?}");
    }

    let mut server = data_dir.serve(&options).await;
    let client = server.client().unwrap();
    client.log_in(EMAIL, PASSWORD).await.unwrap_err();
    client.log_in(EMAIL, "staple battery horse").await.unwrap();
    data_dir.user_ok(&["delete", EMAIL], "");
    client.log_in(EMAIL, "staple battery horse").await.unwrap_err();
    // The photo's original and thumbnails disappear.
    let deleted = async {
        while !server
            .log()
            .contains("the photos of a deleted account are deleted")
            || files_below(&objects) > 0
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), deleted)
        .await
        .unwrap();
    assert!(server.terminate().await.unwrap().success());
    data_dir.assert_verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_accounts_are_logged_by_the_command_beside_a_server_and_without_one() {
    let data_dir = DataDir::new();
    let mut server = Some(data_dir.serve(&DataDir::options()).await);
    let password = format!("{PASSWORD}\n");
    for email in [EMAIL, "bob@example.org"] {
        let mut user = String::new();
        for (arguments, event) in [
            ("add", "account_added"),
            ("set-password", "password_set"),
            ("grant-admin", "admin_granted"),
            ("disable", "account_disabled"),
            ("enable", "account_enabled"),
            ("delete", "account_deleted"),
        ] {
            let output = data_dir.user(&[arguments, email], &password);
            assert!(output.status.success(), "{arguments}: {output:?}");
            if user.is_empty() {
                String::from_utf8(output.stdout)
                    .unwrap()
                    .trim()
                    .clone_into(&mut user);
            }
            let log = String::from_utf8(output.stderr).unwrap();
            let mut lines = log.lines();
            let line = lines.next().unwrap_or_default();
            assert!(
                line.contains("audit") && line.contains(event) && line.contains(&user),
                "{event}: {log}"
            );
            assert_eq!(lines.next(), None, "{log}");
            assert!(!log.contains(email) && !log.contains(PASSWORD), "{log}");
        }
        if let Some(mut server) = server.take() {
            assert!(server.terminate().await.unwrap().success());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_created_before_the_first_start() {
    let data_dir = DataDir::new();
    std::fs::create_dir(data_dir.path()).unwrap();
    data_dir.user_ok(&["add", EMAIL], &format!("{PASSWORD}\n"));
    data_dir.user_ok(&["grant-admin", EMAIL], "");
    let mut server = data_dir.serve(&DataDir::options()).await;
    server.client().unwrap().log_in(EMAIL, PASSWORD).await.unwrap();
    assert!(server.terminate().await.unwrap().success());
    data_dir.assert_verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_to_unknown_accounts_keeps_nobody_from_logging_in() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let client = server.client().unwrap();
    client.register(EMAIL, PASSWORD).await.unwrap();
    let url = format!("{}/commands/auth/login", server.api());
    // Each from a loopback address of its own, so that no limit of one network stops the flood.
    let strangers = (0..130_u8).map(|n| {
        let address = IpAddr::from(Ipv4Addr::new(127, 0, 1, n));
        let http = reqwest::Client::builder()
            .no_proxy()
            .local_address(address)
            .build()
            .unwrap();
        let body = json!({ "email": format!("user-{n}@example.net"), "password": "wrong horse battery" });
        let request = http.post(&url).json(&body);
        async move { request.send().await.unwrap().status() }
    });
    let (statuses, owner) = tokio::join!(join_all(strangers), client.log_in(EMAIL, PASSWORD));
    owner.unwrap();
    assert!(
        statuses.iter().all(|status| *status == StatusCode::UNAUTHORIZED),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn security_events_are_logged_and_counted_without_secrets() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let client = server.client().unwrap();
    client.register(EMAIL, PASSWORD).await.unwrap();
    client.log_in(EMAIL, "wrong horse battery").await.unwrap_err();
    client.log_in(EMAIL, PASSWORD).await.unwrap();
    let logged = async {
        while !server.log().contains("logged_in") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), logged)
        .await
        .unwrap();
    let log = server.log();
    for event in ["registered", "login_refused", "logged_in"] {
        let line = log
            .lines()
            .find(|line| line.contains("audit") && line.contains(event));
        assert!(
            line.is_some_and(|line| line.contains("127.0.0.1")),
            "{event}: {log}"
        );
    }
    for secret in [EMAIL, PASSWORD, "rft_"] {
        assert!(!log.contains(secret), "{secret}");
    }
    let metrics = reqwest::get(format!("{}/metrics", server.api())).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("security_events_total{event=\"login_refused\"} 1"),
        "{metrics}"
    );
}
