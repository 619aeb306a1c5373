use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{
    normalize::normalized,
    server::{TestServer, text},
};

async fn ticket(app: &TestServer, token: &str, body: &Value) -> String {
    let response = app
        .post("/commands/auth/stream-ticket")
        .token(token)
        .json(body)
        .expect_status(200)
        .await;
    assert_eq!(response.header("cache-control"), "no-store");
    text(&response.json()["ticket"])
}

#[tokio::test]
async fn a_ticket_is_valid_for_its_stream_only() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let (one, other) = (app.job(&token, 1).await, app.job(&token, 1).await);
    let stream = |job: &Value, ticket: &str| {
        format!(
            "/queries/upload-jobs/{}/events?ticket={ticket}",
            text(&job["jobId"])
        )
    };
    let response = app
        .post("/commands/auth/stream-ticket")
        .token(&token)
        .json(&json!({ "jobId": one["jobId"] }));
    assert_json_snapshot!(
        "stream_ticket",
        normalized(response.expect_status(200).await.json())
    );
    let of_job = ticket(&app, &token, &json!({ "jobId": one["jobId"] })).await;
    assert_eq!(app.get(&stream(&one, &of_job)).open().await.status(), 200);
    app.get(&stream(&other, &of_job))
        .expect_problem(401, "invalid_ticket")
        .await;
    app.get(&format!("/queries/events?ticket={of_job}"))
        .expect_problem(401, "invalid_ticket")
        .await;
    let of_user = ticket(&app, &token, &json!({})).await;
    assert_eq!(
        app.get(&format!("/queries/events?ticket={of_user}"))
            .open()
            .await
            .status(),
        200
    );
    app.get(&stream(&one, &of_user))
        .expect_problem(401, "invalid_ticket")
        .await;
    for path in [
        "/queries/photos".to_owned(),
        format!("/queries/upload-jobs/{}", text(&one["jobId"])),
    ] {
        let elsewhere = app.get(&format!("{path}?ticket={of_user}"));
        elsewhere.expect_problem(401, "authentication_required").await;
    }
}

#[tokio::test]
async fn a_ticket_expires_unused_and_is_valid_for_reconnects() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let (used, unused) = (
        ticket(&app, &token, &json!({})).await,
        ticket(&app, &token, &json!({})).await,
    );
    let open = |ticket: &str| app.get(&format!("/queries/events?ticket={ticket}"));
    assert_eq!(open(&used).open().await.status(), 200);
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(open(&used).open().await.status(), 200);
    open(&unused).expect_problem(401, "invalid_ticket").await;
    open("tkt_forged").expect_problem(401, "invalid_ticket").await;
    open("").expect_problem(401, "invalid_ticket").await;
    app.clock.advance(Duration::from_hours(25));
    open(&used).expect_problem(401, "invalid_ticket").await;
}

#[tokio::test]
async fn a_ticket_needs_an_existing_job() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let issue = |body: Value| app.post("/commands/auth/stream-ticket").token(&token).json(&body);
    issue(json!({ "jobId": "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H" }))
        .expect_problem(404, "no_such_job")
        .await;
    issue(json!({ "jobId": "nonsense" }))
        .expect_problem(404, "no_such_job")
        .await;
    app.post("/commands/auth/stream-ticket")
        .token(&token)
        .expect_status(200)
        .await;
}
