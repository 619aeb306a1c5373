use std::time::Duration;

use serde_json::json;

use crate::server::{TestServer, file};

#[tokio::test]
async fn limits_say_what_is_used_allowed_and_readable() {
    let app = TestServer::with(|parts| parts.settings.quotas.photos_per_day = 0).await;
    let token = app.user("ada").await;
    app.job(&token, 3).await;
    let limits = app
        .get("/queries/limits")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(limits["openPhotos"], json!({ "used": 3, "allowed": 10_000 }));
    assert_eq!(limits["photosPerDay"], json!({ "used": 3, "allowed": null }));
    assert_eq!(limits["storedBytes"]["allowed"], 1_u64 << 40);
    assert_eq!(limits["jobsPerMinute"], 10);
    assert_eq!(limits["filesPerJob"], 1000);
    assert_eq!(
        limits["checks"]["too_many_pixels"],
        json!({ "policy": "reject", "threshold": 100_000_000 })
    );
    assert_eq!(limits["checks"]["corrupt"], json!({ "policy": "reject" }));
    assert!(
        limits["readableTypes"]
            .as_array()
            .unwrap()
            .contains(&json!("image/jpeg"))
    );
}

#[tokio::test]
async fn an_exceeded_quota_says_what_is_used_and_allowed() {
    let app = TestServer::with(|parts| {
        parts.settings.quotas.open_photos = 2;
        parts.settings.quotas.stored_bytes = 50;
        parts.settings.quotas.photos_per_day = 2;
    })
    .await;
    let token = app.user("ada").await;
    let create = |files: Vec<serde_json::Value>| {
        app.post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": files }))
    };
    create(vec![file(0), file(1)]).expect_status(201).await;
    let problem = create(vec![file(2)])
        .expect_problem(429, "open_photos_exceeded")
        .await;
    assert_eq!((&problem["used"], &problem["allowed"]), (&json!(2), &json!(2)));
    let photos = app
        .get("/queries/photos")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    for photo in photos["items"].as_array().unwrap() {
        let path = format!("/commands/photos/{}", photo["photoId"].as_str().unwrap());
        app.request("DELETE".parse().unwrap(), &path)
            .token(&token)
            .send()
            .await;
    }
    let today = create(vec![file(2)]).expect_status(429).await;
    assert_eq!(today.problem_code(), "photos_per_day_exceeded");
    let wait: u64 = today.header("retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    let too_large = json!({ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 60 });
    let stored = create(vec![too_large]).expect_status(507).await;
    assert_eq!(stored.problem_code(), "stored_bytes_exceeded");
    assert!(stored.text().contains("\"allowed\":50"), "{}", stored.text());
    assert!(!stored.has("retry-after"), "it ends by deletions, not by time");
}

#[tokio::test]
async fn a_full_disk_and_a_backlog_refuse_new_jobs() {
    let app = TestServer::with(|parts| parts.settings.quotas.max_work_age = Duration::from_mins(1)).await;
    let token = app.user("ada").await;
    let create = || {
        app.post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": [file(0)] }))
    };
    app.free_space.set(0);
    let full = create().expect_status(507).await;
    assert_eq!(
        (full.problem_code().as_str(), full.header("retry-after")),
        ("storage_full", "30")
    );
    app.free_space.set(u64::MAX);
    let job = create().expect_status(201).await.json();
    let photo = job["items"][0]["photoId"].as_str().unwrap();
    // The storage is to be asked for the photo now; nobody does this here.
    let finalize = format!("/commands/upload/{photo}/finalize");
    app.post(&finalize)
        .token(&token)
        .json(&json!({}))
        .expect_status(202)
        .await;
    app.clock.advance(Duration::from_mins(2));
    let late = create().expect_status(503).await;
    assert_eq!(
        (late.problem_code().as_str(), late.header("retry-after")),
        ("backlog", "30")
    );
    for amount in ["\"used\"", "\"allowed\""] {
        for answer in [&full, &late] {
            assert!(!answer.text().contains(amount), "{}", answer.text());
        }
    }
}
