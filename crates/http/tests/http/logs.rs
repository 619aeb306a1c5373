use rapidphoto_memory::Operation;
use serde_json::json;

use crate::{
    process,
    server::{TestServer, text},
};

#[tokio::test]
async fn requests_are_logged_without_secrets() {
    let log = process::log();
    let app = TestServer::start().await;
    let account = json!({ "email": "log-reader@example.org", "password": "a password for the log" });
    app.post("/commands/auth/register")
        .json(&account)
        .expect_status(201)
        .await;
    let tokens = app
        .post("/commands/auth/login")
        .json(&account)
        .expect_status(200)
        .await
        .json();
    let token = text(&tokens["accessToken"]);
    let ticket = app
        .post("/commands/auth/stream-ticket")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    let ticket = text(&ticket["ticket"]);
    let stream = app
        .get(&format!("/queries/events?ticket={ticket}"))
        .header("x-request-id", "logged-stream");
    assert_eq!(stream.open().await.status(), 200);
    app.get("/queries/events?ticket=tkt_unknown")
        .expect_status(401)
        .await;
    app.get("/queries/photos?q=a-name-in-a-query")
        .token(&token)
        .expect_status(200)
        .await;
    app.store.faults().fail_next(Operation::Session, 1);
    let failing = app.post("/commands/auth/stream-ticket").token(&token);
    failing
        .header("x-request-id", "logged-failure")
        .expect_status(503)
        .await;

    let text_of_log = log.text();
    let line = text_of_log
        .lines()
        .find(|line| line.contains("access") && line.contains("logged-stream"));
    let line = line.expect("the request is logged");
    assert!(
        line.contains("path=/queries/events ") && line.contains("status=200"),
        "{line}"
    );
    let failure = text_of_log
        .lines()
        .find(|line| line.contains("ERROR") && line.contains("logged-failure"));
    let failure = failure.expect("the failure is logged");
    assert!(
        failure.contains("the database can't be reached: failure requested by the test"),
        "{failure}"
    );
    for secret in [
        "a password for the log",
        "log-reader@example.org",
        &token,
        tokens["refreshToken"].as_str().unwrap(),
        &ticket,
        "tkt_unknown",
        "a-name-in-a-query",
    ] {
        let leaked = text_of_log.lines().find(|line| line.contains(secret));
        assert_eq!(leaked, None, "{secret} is logged");
    }
}

#[tokio::test]
async fn only_the_beginning_of_a_long_path_is_logged() {
    let log = process::log();
    let app = TestServer::start().await;
    let path = format!("/very-long-path/{}", "x".repeat(10_000));
    app.get(&path).expect_status(404).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("path=/very-long-path/"));
    assert!(line.expect("the request is logged").len() < 1000);
}
