use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    samples::UPLOAD_ID,
    server::{TestServer, file},
};

#[tokio::test]
async fn a_repeated_idempotency_key_returns_the_same_job() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let create = |files: Value, key: &str| {
        let create = app
            .post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": files }));
        create.header("idempotency-key", key)
    };
    let first = create(json!([file(0)]), "one").expect_status(201).await.json();
    let again = create(json!([file(0)]), "one").expect_status(200).await;
    assert!(!again.has("location"));
    assert_eq!(again.json()["items"][0]["photoId"], first["items"][0]["photoId"]);
    create(json!([file(1)]), "one")
        .expect_problem(422, "idempotency_key_reused")
        .await;
    let long = "x".repeat(256);
    for bad in ["", &long, "tab\there"] {
        let problem = create(json!([file(0)]), bad)
            .expect_problem(422, "invalid_header")
            .await;
        assert_eq!(problem["errors"][0]["pointer"], "Idempotency-Key");
    }
    let twice = create(json!([file(0)]), "a").header("idempotency-key", "b");
    twice.expect_problem(422, "invalid_header").await;
}

#[tokio::test]
async fn an_upload_id_identifies_one_file() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let create = |bytes: u64| {
        let file =
            json!({ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": bytes, "uploadId": UPLOAD_ID });
        app.post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": [file] }))
    };
    let first = create(20).expect_status(201).await.json();
    let again = create(20).expect_status(200).await.json();
    assert_eq!(again["items"][0]["photoId"], first["items"][0]["photoId"]);
    assert_eq!(again["jobId"], first["jobId"]);
    let problem = create(21).expect_problem(422, "upload_id_reused").await;
    assert_eq!(problem["errors"][0]["pointer"], "/files/0/uploadId");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_with_one_key_or_upload_id_create_one_photo() {
    let app = TestServer::with(|parts| parts.config.jobs_per_minute = 1000.try_into().unwrap()).await;
    let token = app.user("ada").await;
    let by_key = || {
        let create = app
            .post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": [file(0)] }));
        create.header("idempotency-key", "race").send()
    };
    let by_id = || {
        let file =
            json!({ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 20, "uploadId": UPLOAD_ID });
        app.post("/commands/upload-jobs")
            .token(&token)
            .json(&json!({ "files": [file] }))
            .send()
    };
    for responses in [
        join_all((0..50).map(|_| by_key())).await,
        join_all((0..50).map(|_| by_id())).await,
    ] {
        let created = responses.iter().filter(|response| response.status == 201).count();
        let known = responses.iter().filter(|response| response.status == 200).count();
        assert_eq!((created, known), (1, 49));
        let first = responses[0].json();
        for response in responses {
            assert_eq!(response.json()["jobId"], first["jobId"]);
            assert_eq!(
                response.json()["items"][0]["photoId"],
                first["items"][0]["photoId"]
            );
        }
    }
    let list = app
        .get("/queries/photos")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}
