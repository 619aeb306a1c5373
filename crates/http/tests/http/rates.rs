use std::time::{Duration, Instant};

use serde_json::json;

use crate::app::{TestApp, file};

#[tokio::test]
async fn the_eleventh_job_in_a_minute_waits() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let create = |token: &str| {
        app.post("/commands/upload-jobs")
            .token(token)
            .json(&json!({ "files": [file(0)] }))
    };
    for left in (0..10).rev() {
        let created = create(&ada).sent(201).await;
        assert_eq!(created.header("ratelimit-policy"), "\"jobs\";q=10;w=60");
        assert!(
            created
                .header("ratelimit")
                .starts_with(&format!("\"jobs\";r={left};t="))
        );
    }
    let refused = create(&ada).sent(429).await;
    assert!(refused.header("ratelimit").starts_with("\"jobs\";r=0;t="));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    create(&bob).sent(201).await;
    app.get("/queries/photos").token(&ada).sent(200).await;
}

#[tokio::test]
async fn a_request_that_is_refused_counts_too() {
    let app = TestApp::with(|parts| parts.config.jobs_per_minute = 1.try_into().unwrap()).await;
    let token = app.user("ada").await;
    let bad = app
        .post("/commands/upload-jobs")
        .token(&token)
        .raw("{")
        .sent(400)
        .await;
    assert!(bad.header("ratelimit").starts_with("\"jobs\";r=0;"));
    app.post("/commands/upload-jobs")
        .token(&token)
        .raw("{")
        .refused(429, "rate_limited")
        .await;
}

#[tokio::test]
async fn an_array_of_ticks_counts_as_one() {
    let app = TestApp::with(|parts| parts.config.progress_per_second = 2.try_into().unwrap()).await;
    // Half a second gives one back: on a machine that is too busy for three requests in this time, try again.
    for attempt in 0..100 {
        if three_ticks(&app, &format!("user{attempt}")).await < Duration::from_millis(500) {
            return;
        }
    }
    panic!("three requests always take half a second");
}

/// Has a new user send three arrays of ticks, and demands that the third is refused if they came quickly; how long they took.
async fn three_ticks(app: &TestApp, user: &str) -> Duration {
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
    let begun = Instant::now();
    assert_eq!(post().sent(202).await.json()["accepted"], 3);
    post().sent(202).await;
    let third = post().send().await;
    let took = begun.elapsed();
    if took < Duration::from_millis(500) {
        assert_eq!(third.status, 429);
        assert_eq!(third.header("ratelimit-policy"), "\"progress\";q=2;w=1");
        assert_eq!(third.header("retry-after"), "1");
    }
    took
}
