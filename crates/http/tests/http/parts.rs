//! Files that are sent in parts, renewal and retry.

use insta::assert_json_snapshot;
use rapidphoto_application::ports::{MultipartUploads as _, PresignedUrl};
use rapidphoto_memory::fixtures::{self, DAY, HOUR};
use serde_json::{Value, json};

use crate::{normalize::normalized, server::TestServer};

const MIB: u64 = 1 << 20;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Creates a job of one file that is sent in parts, and returns its item.
async fn declare(app: &TestServer, token: &str, bytes: u64) -> Value {
    let body = json!({
        "files": [{ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": bytes }],
        "strategy": "s3-multipart",
        "partSize": 5 * MIB,
    });
    let created = app.post("/commands/upload-jobs").token(token).json(&body);
    created.expect_status(201).await.json()["items"][0].clone()
}

/// Tokens expire before upload windows.
async fn log_in(app: &TestServer) -> String {
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let tokens = app
        .post("/commands/auth/login")
        .json(&account)
        .expect_status(200)
        .await
        .json();
    text(&tokens["accessToken"]).to_owned()
}

fn path(item: &Value, command: &str) -> String {
    format!("/commands/upload/{}/{command}", text(&item["photoId"]))
}

async fn put_part(app: &TestServer, token: &str, item: &Value, part: u64, length: usize) -> String {
    let urls = app
        .post(&path(item, "parts"))
        .token(token)
        .json(&json!({ "partNumbers": [part] }))
        .expect_status(200)
        .await
        .json();
    let url = PresignedUrl {
        url: text(&urls["parts"][0]["presignedUrl"]).to_owned(),
        headers: Vec::new(),
        expires_at: text(&urls["parts"][0]["expiresAt"]).parse().unwrap(),
    };
    let answer = app.objects.put_as_client(&url, vec![1; length]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.headers[0].1.clone()
}

#[tokio::test]
async fn a_file_is_sent_in_parts_and_finalized() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let item = declare(&app, &token, 5 * MIB + 3).await;
    assert_eq!(item["presignedUrl"], Value::Null);
    assert_eq!(item["multipart"], json!({ "partSize": 5 * MIB, "partCount": 2 }));
    let second = put_part(&app, &token, &item, 2, 3).await;
    let urls = app
        .post(&path(&item, "parts"))
        .token(&token)
        .json(&json!({ "partNumbers": [2, 1, 1] }))
        .expect_status(200)
        .await;
    assert_json_snapshot!("part_urls", normalized(urls.json()));

    let incomplete = app
        .post(&path(&item, "finalize"))
        .token(&token)
        .expect_problem(422, "parts_incomplete")
        .await;
    assert_eq!(incomplete["errors"][0]["message"], "the part 1 is not in storage");
    let first = put_part(&app, &token, &item, 1, 5 * 1_048_576).await;
    let query = format!("/queries/upload/{}/parts", text(&item["photoId"]));
    let uploaded = app.get(&query).token(&token).expect_status(200).await.json();
    assert_eq!(uploaded["partSize"], 5 * MIB);
    let numbers: Vec<_> = uploaded["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (&part["partNumber"], &part["bytes"]))
        .collect();
    assert_eq!(numbers, [(&json!(1), &json!(5 * MIB)), (&json!(2), &json!(3))]);
    assert!(!text(&uploaded["parts"][0]["eTag"]).contains('"'));

    let list = |first: &str, second: &str| json!({ "parts": [{ "partNumber": 1, "eTag": first }, { "partNumber": 2, "eTag": second }] });
    let wrong = app
        .post(&path(&item, "finalize"))
        .token(&token)
        .json(&list("0123", &second));
    let wrong = wrong.expect_problem(422, "parts_changed").await;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 1);
    for _ in 0..2 {
        let right = app
            .post(&path(&item, "finalize"))
            .token(&token)
            .json(&list(&first, &second));
        assert_eq!(right.expect_status(202).await.json()["status"], "VERIFYING");
    }
    app.get(&query)
        .token(&token)
        .expect_problem(409, "upload_ended")
        .await;
    let history = format!("/queries/photos/{}/history", text(&item["photoId"]));
    let history = app.get(&history).token(&token).expect_status(200).await;
    assert!(history.text().contains("PhotoMultipartOpened"));
    assert!(
        !history.text().contains("upload-0000"),
        "the store's identifier stays in the servers"
    );
}

#[tokio::test]
async fn invalid_parts_are_refused_where_they_are() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let item = declare(&app, &token, 5 * MIB + 3).await;
    for (numbers, pointer) in [
        (json!([]), "/partNumbers"),
        (json!(vec![1; 1001]), "/partNumbers"),
        (json!([1, 0]), "/partNumbers/1"),
        (json!([10_001]), "/partNumbers/0"),
        (json!([1, 2, 3]), "/partNumbers/2"),
    ] {
        let request = app
            .post(&path(&item, "parts"))
            .token(&token)
            .json(&json!({ "partNumbers": numbers }));
        let problem = request.expect_problem(422, "invalid_parts").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    for (numbers, pointer) in [
        (json!(["1"]), "/partNumbers/0"),
        (json!([-1]), "/partNumbers/0"),
        (json!(1), "/partNumbers"),
    ] {
        let request = app
            .post(&path(&item, "parts"))
            .token(&token)
            .json(&json!({ "partNumbers": numbers }));
        let problem = request.expect_problem(422, "invalid_body").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    for (parts, pointer) in [
        (json!([{ "partNumber": 0, "eTag": "x" }]), "/parts/0/partNumber"),
        (json!([{ "partNumber": 1, "eTag": "" }]), "/parts/0/eTag"),
        (
            json!([{ "partNumber": 1, "eTag": "x" }, { "partNumber": 1, "eTag": "y" }]),
            "/parts/1/partNumber",
        ),
    ] {
        let request = app
            .post(&path(&item, "finalize"))
            .token(&token)
            .json(&json!({ "parts": parts }));
        let problem = request.expect_problem(422, "invalid_parts").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    for part_size in [0, 5 * MIB - 1, u64::MAX] {
        let body = json!({ "files": [{ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1 }], "partSize": part_size });
        let request = app.post("/commands/upload-jobs").token(&token).json(&body);
        let problem = request.expect_problem(422, "invalid_part_size").await;
        assert_eq!(problem["errors"][0]["pointer"], "/partSize");
    }
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_photo_that_the_user_has() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let had = app.completed_job(&token, 1).await["items"][0]["photoId"].clone();
    let file = fixtures::file(0);
    let (algo, value) = file.checksum.unwrap();
    let file = json!({
        "filename": "b.jpg", "mimeType": "image/jpeg", "bytes": file.bytes, "checksum": { "algo": algo, "value": value },
    });
    let body = json!({ "files": [file], "dedupe": true });
    let answer = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&body)
        .expect_status(200)
        .await
        .json();
    let item = &answer["items"][0];
    assert_eq!((&item["duplicateOf"], &item["photoId"]), (&had, &had));
    assert_eq!(
        (&item["presignedUrl"], &item["multipart"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn photos_of_one_put_have_no_parts() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let item = app.job(&token, 1).await["items"][0].clone();
    let request = app
        .post(&path(&item, "parts"))
        .token(&token)
        .json(&json!({ "partNumbers": [1] }));
    request.expect_problem(409, "not_multipart").await;
    let parts = json!({ "parts": [{ "partNumber": 1, "eTag": "x" }] });
    let request = app.post(&path(&item, "finalize")).token(&token).json(&parts);
    request.expect_problem(409, "not_multipart").await;
}

#[tokio::test]
async fn a_lost_upload_is_renewed() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let item = declare(&app, &token, 3).await;
    put_part(&app, &token, &item, 1, 3).await;
    for upload in app.objects.list("", None).await.unwrap().uploads {
        app.objects.abort(&upload.key, &upload.id).await.unwrap();
    }
    app.post(&path(&item, "finalize"))
        .token(&token)
        .expect_problem(409, "upload_lost")
        .await;
    let renewed = app
        .post(&path(&item, "renew"))
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(renewed["item"]["multipart"]["partCount"], 1);
    put_part(&app, &token, &item, 1, 3).await;
    app.post(&path(&item, "finalize"))
        .token(&token)
        .expect_status(202)
        .await;
}

#[tokio::test]
async fn an_expired_upload_is_renewed_and_a_completed_one_is_not() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let item = app.job(&token, 1).await["items"][0].clone();
    let retry = format!("/commands/photos/{}/retry", text(&item["photoId"]));
    app.post(&retry)
        .token(&token)
        .expect_problem(409, "photo_not_failed")
        .await;
    app.clock.advance(DAY + HOUR);
    app.work().await;
    let token = log_in(&app).await;
    let renewed = app
        .post(&path(&item, "renew"))
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(renewed["item"]["status"], "QUEUED");
    assert_ne!(renewed["item"]["presignedUrl"], item["presignedUrl"]);
    app.put(&renewed["item"]);
    app.post(&path(&item, "finalize"))
        .token(&token)
        .expect_status(202)
        .await;
    app.work().await;
    let ended = app
        .post(&path(&item, "renew"))
        .token(&token)
        .expect_problem(409, "upload_ended")
        .await;
    assert!(text(&ended["detail"]).contains("COMPLETED"), "{ended}");
}

#[tokio::test]
async fn a_failed_upload_is_retried_and_opens_its_job_again() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let item = &job["items"][0];
    app.clock.advance(DAY + HOUR);
    app.work().await;
    let token = log_in(&app).await;
    let retry = format!("/commands/photos/{}/retry", text(&item["photoId"]));
    let retried = app.post(&retry).token(&token).expect_status(202).await.json();
    assert_eq!(retried["item"]["status"], "QUEUED");
    assert!(retried["item"]["presignedUrl"].is_string());
    let snapshot = format!("/queries/upload-jobs/{}", text(&job["jobId"]));
    let snapshot = app.get(&snapshot).token(&token).expect_status(200).await.json();
    assert_eq!(snapshot["photos"][0]["status"], "QUEUED");
    assert_eq!(snapshot["photos"][0]["reasons"], json!([]));
}
