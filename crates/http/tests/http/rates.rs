use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{TestServer, file};

#[tokio::test]
async fn the_eleventh_job_in_a_minute_is_rejected() {
    let app = TestServer::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let create = |token: &str| {
        app.post("/commands/upload-jobs")
            .token(token)
            .json(&json!({ "files": [file(0)] }))
    };
    for left in (0..10).rev() {
        let created = create(&ada).expect_status(201).await;
        assert_eq!(created.header("ratelimit-policy"), "\"jobs\";q=10;w=60");
        assert!(
            created
                .header("ratelimit")
                .starts_with(&format!("\"jobs\";r={left};t="))
        );
    }
    let rejected = create(&ada).expect_status(429).await;
    assert!(rejected.header("ratelimit").starts_with("\"jobs\";r=0;t="));
    let wait: u64 = rejected.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    create(&bob).expect_status(201).await;
    app.get("/queries/photos").token(&ada).expect_status(200).await;
}

#[tokio::test]
async fn only_created_jobs_count_against_the_jobs_of_a_minute() {
    let app = TestServer::with(|parts| parts.config.jobs_per_minute = 1.try_into().unwrap()).await;
    let token = app.user("ada").await;
    let create = |body: &serde_json::Value| app.post("/commands/upload-jobs").token(&token).json(body);
    for _ in 0..3 {
        let bad = create(&json!({ "files": [] })).expect_status(422).await;
        assert_eq!(bad.header("ratelimit-policy"), "\"jobs\";q=1;w=60");
    }
    let batch = json!({ "files": [{ "uploadId": "0191a0e0-0000-4000-8000-000000000001", "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 20 }] });
    let created = create(&batch).expect_status(201).await.json();
    let repeated = create(&batch).expect_status(200).await.json();
    assert_eq!(
        repeated["jobId"], created["jobId"],
        "a repetition creates nothing"
    );
    let with_key = |files| {
        let request = app.post("/commands/upload-jobs").token(&token);
        request
            .header("idempotency-key", "another")
            .json(&json!({ "files": files }))
    };
    with_key(vec![file(0)]).expect_problem(429, "rate_limited").await;
    with_key(vec![batch["files"][0].clone()]).expect_status(200).await;
    let rejected = create(&json!({ "files": [file(0)] }))
        .expect_problem(429, "rate_limited")
        .await;
    assert_eq!((&rejected["used"], &rejected["allowed"]), (&json!(1), &json!(1)));
    assert!(
        rejected["detail"].as_str().unwrap().contains("1 jobs in 60 s"),
        "{rejected}"
    );
}

#[tokio::test]
async fn each_user_has_a_rate_of_requests() {
    let app = TestServer::with(|parts| parts.config.requests_per_second = 1.try_into().unwrap()).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    // One request is allowed again each second: on a busy machine it takes several attempts to send two within one.
    for _ in 0..100 {
        app.get("/queries/photos").token(&ada).send().await;
        let second = app.get("/queries/photos").token(&ada).send().await;
        if second.status == 429 {
            app.get("/queries/photos").token(&bob).expect_status(200).await;
            return;
        }
    }
    panic!("no request was rejected");
}

#[tokio::test]
async fn an_array_of_reports_counts_as_one_request() {
    let app = TestServer::with(|parts| parts.config.progress_per_second = 2.try_into().unwrap()).await;
    // One request is allowed again after half a second. Retried in case the machine is too busy to send three in that time.
    for attempt in 0..100 {
        if send_three_arrays(&app, &format!("user{attempt}")).await < Duration::from_millis(500) {
            return;
        }
    }
    panic!("three requests took half a second in each attempt");
}

/// Sends three arrays of reports as a new user and returns the duration. Asserts that the third is rejected if all were
/// sent within half a second.
async fn send_three_arrays(app: &TestServer, user: &str) -> Duration {
    let token = app.user(user).await;
    let job = app.job(&token, 3).await;
    let ticks: Vec<_> = job["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({ "photoId": item["photoId"], "bytesSent": 1, "bytesTotal": 20 }))
        .collect();
    let post = || {
        app.post("/commands/upload/progress")
            .token(&token)
            .json(&json!(ticks))
    };
    let started = Instant::now();
    assert_eq!(post().expect_status(202).await.json()["accepted"], 3);
    post().expect_status(202).await;
    let third = post().send().await;
    let took = started.elapsed();
    if took < Duration::from_millis(500) {
        assert_eq!(third.status, 429);
        assert_eq!(third.header("ratelimit-policy"), "\"progress\";q=2;w=1");
        assert_eq!(third.header("retry-after"), "1");
    }
    took
}

#[tokio::test]
async fn each_network_has_a_rate_of_calls_without_an_access_token() {
    let app = TestServer::with(|parts| {
        parts.config.anonymous_requests_per_second = 5.try_into().unwrap();
    })
    .await;
    let token = app.user("ada").await;
    // One request is allowed again after 200 ms: on a busy machine it takes several attempts to send more.
    for _ in 0..100 {
        let forged = || app.get("/queries/events?ticket=tkt_forged").send();
        let answers = futures::future::join_all((0..15).map(|_| forged())).await;
        if answers.iter().any(|answer| answer.status == 429) {
            app.get("/queries/photos").token(&token).expect_status(200).await;
            return;
        }
    }
    panic!("no call was refused");
}
