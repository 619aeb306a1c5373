use std::fs;

use rapidphoto_testkit::PASSWORD;
use serde_json::Value;

use super::{User, mode, stdout};
use crate::fixtures::DataDir;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_kept_for_its_owner_only_until_the_logout() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let user = User::new();
    let refused = user.run(&["upload", "."]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("not logged in; log in with `rapidphoto login")
    );

    let login = ["login", "--server", server.api(), "--email", "ada@example.org"];
    let refused = user.run_with_input(&login, "wrong password 1\n");
    assert!(!refused.status.success(), "{refused:?}");
    assert!(!user.state().join("login.json").exists());

    let password = user.folder().join("password");
    user.write("password", format!("{PASSWORD}\nsecond line").as_bytes());
    let file = ["--register", "--password-file", password.to_str().unwrap()];
    let output = stdout(user.run(&[&login[..], &file[..]].concat()));
    assert_eq!(
        output,
        format!("logged in to {} as ada@example.org\n", server.api())
    );
    assert_eq!(mode(&user.state()), 0o700);
    assert_eq!(mode(&user.state().join("login.json")), 0o600);
    let refresh_token = || {
        let login: Value =
            serde_json::from_slice(&fs::read(user.state().join("login.json")).unwrap()).unwrap();
        login["tokens"]["refreshToken"].as_str().map(str::to_owned)
    };
    let token = refresh_token().unwrap();

    assert_eq!(
        stdout(user.run(&["logout"])),
        format!("logged out of {}\n", server.api())
    );
    assert_eq!(refresh_token(), None);
    assert!(!user.run(&["upload", "."]).status.success());
    let refresh = reqwest::Client::new().post(format!("{}/commands/auth/refresh", server.api()));
    let refresh = refresh
        .json(&serde_json::json!({ "refreshToken": token }))
        .send()
        .await;
    assert_eq!(refresh.unwrap().status(), 401, "the server has revoked it");

    // The server of the last login is the default.
    let again = ["login", "--email", "ada@example.org"];
    let output = stdout(user.run_with_input(&again, PASSWORD));
    assert_eq!(
        output,
        format!("logged in to {} as ada@example.org\n", server.api())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_tokens_are_renewed_by_runs_one_after_the_other_and_at_once() {
    let data_dir = DataDir::new();
    // Every run finds an expired access token, and long ones several times.
    let options = DataDir::options().with("RAPIDPHOTO_AUTH__ACCESS_LIFETIME", "1s");
    let server = data_dir.serve(&options).await;
    let user = User::logged_in(&server);
    for seed in 0..4 {
        user.write(&format!("{seed}.jpg"), &crate::fixtures::photo(seed));
    }
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let runs: Vec<_> = (0..3)
            .map(|_| {
                user.command(&["upload", "."])
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    }
    let (_, lines) = user.json(&["upload", "."]);
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["completed"], &summary["alreadyThere"]),
        (&4.into(), &4.into())
    );
}
