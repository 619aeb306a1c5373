use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{
    app::{TestApp, text},
    names::renamed,
};

async fn ticket(app: &TestApp, token: &str, body: &Value) -> String {
    let answer = app
        .post("/commands/auth/stream-ticket")
        .token(token)
        .json(body)
        .sent(200)
        .await;
    assert_eq!(answer.header("cache-control"), "no-store");
    text(&answer.json()["ticket"])
}

#[tokio::test]
async fn a_ticket_admits_to_its_stream_and_no_other() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let (one, other) = (app.job(&token, 1).await, app.job(&token, 1).await);
    let stream = |job: &Value, ticket: &str| {
        format!(
            "/queries/upload-jobs/{}/events?ticket={ticket}",
            text(&job["jobId"])
        )
    };
    let answer = app
        .post("/commands/auth/stream-ticket")
        .token(&token)
        .json(&json!({ "jobId": one["jobId"] }));
    assert_json_snapshot!("stream_ticket", renamed(answer.sent(200).await.json()));
    let of_job = ticket(&app, &token, &json!({ "jobId": one["jobId"] })).await;
    assert_eq!(app.get(&stream(&one, &of_job)).open().await.status(), 200);
    app.get(&stream(&other, &of_job))
        .refused(401, "invalid_ticket")
        .await;
    app.get(&format!("/queries/events?ticket={of_job}"))
        .refused(401, "invalid_ticket")
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
        .refused(401, "invalid_ticket")
        .await;
    for path in [
        "/queries/photos".to_owned(),
        format!("/queries/upload-jobs/{}", text(&one["jobId"])),
    ] {
        let elsewhere = app.get(&format!("{path}?ticket={of_user}"));
        elsewhere.refused(401, "authentication_required").await;
    }
}

#[tokio::test]
async fn a_ticket_must_be_used_in_time_and_serves_reconnects_then() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let (used, unused) = (
        ticket(&app, &token, &json!({})).await,
        ticket(&app, &token, &json!({})).await,
    );
    let open = |ticket: &str| app.get(&format!("/queries/events?ticket={ticket}"));
    assert_eq!(open(&used).open().await.status(), 200);
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(open(&used).open().await.status(), 200);
    open(&unused).refused(401, "invalid_ticket").await;
    open("tkt_forged").refused(401, "invalid_ticket").await;
    open("").refused(401, "invalid_ticket").await;
    app.clock.advance(Duration::from_hours(25));
    open(&used).refused(401, "invalid_ticket").await;
}

#[tokio::test]
async fn a_ticket_is_for_a_job_that_is_there() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let ask = |body: Value| app.post("/commands/auth/stream-ticket").token(&token).json(&body);
    ask(json!({ "jobId": "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H" }))
        .refused(404, "no_such_job")
        .await;
    ask(json!({ "jobId": "nonsense" }))
        .refused(404, "no_such_job")
        .await;
    app.post("/commands/auth/stream-ticket")
        .token(&token)
        .sent(200)
        .await;
}
