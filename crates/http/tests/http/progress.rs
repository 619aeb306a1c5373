use insta::assert_json_snapshot;
use rapidphoto_memory::fixtures::BODY;
use serde_json::{Value, json};

use crate::server::{TestServer, text};

#[tokio::test]
async fn progress_is_one_report_or_an_array() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 2).await;
    let tick = |item: usize, sent: u64| json!({ "photoId": job["items"][item]["photoId"], "bytesSent": sent, "bytesTotal": BODY.len() });
    let post = |body: Value| app.post("/commands/upload/progress").token(&token).json(&body);
    let one = post(tick(0, 5)).expect_status(202).await.json();
    assert_json_snapshot!("progress_accepted", one);
    let unknown = json!({ "photoId": "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H", "bytesSent": 1, "bytesTotal": 2 });
    let many = post(json!([tick(0, 3), tick(1, 1000), unknown]))
        .expect_status(202)
        .await
        .json();
    assert_eq!(many["accepted"], 2);
    assert_eq!(post(json!([])).expect_status(202).await.json()["accepted"], 0);
    let snapshot = format!("/queries/upload-jobs/{}", text(&job["jobId"]));
    let snapshot = app.get(&snapshot).token(&token).expect_status(200).await.json();
    assert_eq!(
        snapshot["photos"][0]["progress"],
        json!({ "bytesSent": 5, "bytesTotal": 20, "percent": 25 })
    );
    assert_eq!(
        snapshot["photos"][1]["progress"]["percent"], 100,
        "capped at the total"
    );
    assert_eq!(snapshot["status"], "IN_PROGRESS");
}

#[tokio::test]
async fn progress_changes_the_tag_of_its_jobs_snapshot_only() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let other = app.job(&token, 1).await;
    let path = |job: &Value| format!("/queries/upload-jobs/{}", text(&job["jobId"]));
    let tag = async |job: &Value| {
        let snapshot = app.get(&path(job)).token(&token).expect_status(200).await;
        snapshot.header("etag").to_owned()
    };
    let report = async |sent: u64| {
        let tick =
            json!({ "photoId": job["items"][0]["photoId"], "bytesSent": sent, "bytesTotal": BODY.len() });
        let post = app.post("/commands/upload/progress").token(&token).json(&tick);
        post.expect_status(202).await;
    };
    report(5).await;
    let (before, before_other) = (tag(&job).await, tag(&other).await);
    report(6).await;
    let after = tag(&job).await;
    assert_ne!(after, before);
    report(6).await;
    for (job, known) in [(&job, after), (&other, before_other)] {
        app.get(&path(job))
            .token(&token)
            .header("if-none-match", &known)
            .expect_status(304)
            .await;
    }
}

#[tokio::test]
async fn invalid_progress_gets_a_pointer_to_the_error() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let post = |body: Value| app.post("/commands/upload/progress").token(&token).json(&body);
    let good = json!({ "photoId": "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H", "bytesSent": 1, "bytesTotal": 2 });
    for (body, pointer) in [
        (
            json!({ "photoId": "x", "bytesSent": 1, "bytesTotal": 2 }),
            "/photoId",
        ),
        (
            json!([good, { "photoId": "x", "bytesSent": 1, "bytesTotal": 2 }]),
            "/1/photoId",
        ),
        (
            json!([good, { "photoId": "x", "bytesSent": -1, "bytesTotal": 2 }]),
            "/1/bytesSent",
        ),
        (json!([good, { "photoId": "x", "bytesTotal": 2 }]), "/1/bytesSent"),
        (json!([good, 7]), "/1"),
        (json!("x"), ""),
        (json!(null), ""),
    ] {
        let problem = post(body.clone()).expect_problem(422, "invalid_body").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    post(json!(vec![good; 1001]))
        .expect_problem(422, "too_many_ticks")
        .await;
}
