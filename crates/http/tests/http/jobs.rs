use std::sync::Arc;

use futures::future::join_all;
use insta::assert_json_snapshot;
use rapidphoto_memory::{ConflictingJournal, Operation, fixtures::BODY};
use serde_json::{Value, json};

use crate::{
    normalize::normalized,
    samples::UPLOAD_ID,
    server::{TestServer, file, text},
};

#[tokio::test]
async fn a_job_is_created_polled_and_cancelled() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let checksum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let body = json!({
        "files": [
            { "filename": "Straße.jpg", "mimeType": "image/jpeg", "bytes": BODY.len(), "uploadId": UPLOAD_ID },
            {
                "filename": "b.jpg", "mimeType": "image/jpeg", "bytes": BODY.len(),
                "checksum": { "algo": "sha256", "value": checksum },
            },
        ],
        "strategy": "s3-presigned",
    });
    let created = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&body)
        .expect_status(201)
        .await;
    assert_eq!(created.header("cache-control"), "no-store");
    let location = created.header("location").to_owned();
    let created = created.json();
    assert_eq!(
        location,
        format!("/queries/upload-jobs/{}", text(&created["jobId"]))
    );
    assert_eq!(created["items"][0]["uploadId"], UPLOAD_ID);
    assert_json_snapshot!("job_created", normalized(created.clone()));

    let snapshot = app.get(&location).token(&token).expect_status(200).await;
    assert_eq!(snapshot.header("cache-control"), "private, no-cache");
    assert_json_snapshot!("job_queued", normalized(snapshot.json()));

    app.put(&created["items"][0]);
    app.work().await;
    let working = app.get(&location).token(&token).expect_status(200).await.json();
    assert_eq!(
        (&working["status"], &working["pollAfterMs"]),
        (&json!("IN_PROGRESS"), &json!(1500))
    );
    assert_eq!(working["photos"][0]["progress"]["percent"], 100);

    let cancel = format!("/commands/upload-jobs/{}/cancel", text(&created["jobId"]));
    let cancelled = app.post(&cancel).token(&token).expect_status(200).await.json();
    assert_json_snapshot!("job_cancelled", normalized(cancelled.clone()));
    assert_eq!(
        app.post(&cancel).token(&token).expect_status(200).await.json(),
        cancelled,
        "safe to repeat"
    );
    let ended = app.get(&location).token(&token).expect_status(200).await.json();
    assert_json_snapshot!("job_ended", normalized(ended));
}

#[tokio::test]
async fn each_invalid_file_of_a_batch_is_an_error() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let body = json!({ "files": [
        file(0),
        { "filename": "a\u{0}.jpg", "mimeType": "image/jpeg", "bytes": 1 },
        { "filename": "../a.jpg", "mimeType": "image/jpeg", "bytes": 1 },
        { "filename": "a.jpg", "mimeType": "text/html", "bytes": 1 },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 0 },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": u64::MAX },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1, "uploadId": "1" },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1, "checksum": { "algo": "md5", "value": "x" } },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1, "checksum": { "algo": "sha256", "value": "x" } },
        { "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1, "uploadId": UPLOAD_ID },
        { "filename": "b.jpg", "mimeType": "image/jpeg", "bytes": 1, "uploadId": UPLOAD_ID },
    ] });
    let create = app.post("/commands/upload-jobs").token(&token).json(&body);
    assert_json_snapshot!(
        "invalid_files",
        normalized(create.expect_problem(422, "invalid_files").await)
    );
    let list = app
        .get("/queries/photos")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(
        list["items"],
        json!([]),
        "an invalid file rejects the whole batch"
    );

    let none = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [] }));
    assert_eq!(
        none.expect_problem(422, "invalid_file_count").await["errors"][0]["pointer"],
        "/files"
    );
    let many: Vec<Value> = (0..1001).map(file).collect();
    let many = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": many }));
    many.expect_problem(422, "invalid_file_count").await;
}

#[tokio::test]
async fn an_unchanged_snapshot_is_not_modified() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let path = format!("/queries/upload-jobs/{}", text(&job["jobId"]));
    let tag = app
        .get(&path)
        .token(&token)
        .expect_status(200)
        .await
        .header("etag")
        .to_owned();
    let strong = tag.strip_prefix("W/").unwrap().to_owned();
    for known in [&tag, &strong, &format!("\"x\", {tag}"), "*"] {
        let same = app
            .get(&path)
            .token(&token)
            .header("if-none-match", known)
            .expect_status(304)
            .await;
        assert_eq!(same.header("etag"), tag);
        assert!(same.body.is_empty());
    }
    for other in ["\"x\"", "", &tag[..tag.len() - 2]] {
        app.get(&path)
            .token(&token)
            .header("if-none-match", other)
            .expect_status(200)
            .await;
    }
    // An event that does not concern this job changes the end of the log, and the cursor with it.
    app.user("bob").await;
    app.get(&path)
        .token(&token)
        .header("if-none-match", &tag)
        .expect_status(304)
        .await;
    app.put(&job["items"][0]);
    app.work().await;
    // The job's end is a change of its own, which follows in the background.
    let changed = loop {
        let changed = app
            .get(&path)
            .token(&token)
            .header("if-none-match", &tag)
            .expect_status(200)
            .await;
        if changed.json()["status"] == "COMPLETED" {
            break changed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_ne!(changed.header("etag"), tag);
    // The completion of the job changes its tag once more, at any time.
    for _ in 0..100 {
        let get = app.get(&path).token(&token).expect_status(200).await;
        let head = app
            .request(reqwest::Method::HEAD, &path)
            .token(&token)
            .expect_status(200)
            .await;
        if head.header("etag") == get.header("etag") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("GET and HEAD have different tags");
}

#[tokio::test]
async fn unavailable_dependencies_are_retryable() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    // The live tail and the reactor use the database in the background; only requests use these two operations.
    app.store.faults().fail_next(Operation::Session, 1);
    let ticket = || app.post("/commands/auth/stream-ticket").token(&token);
    assert_json_snapshot!(
        "unavailable",
        normalized(ticket().expect_problem(503, "unavailable").await)
    );
    ticket().expect_status(200).await;

    app.objects.faults().fail_next(Operation::Bucket, 1);
    let create = || {
        let create = app
            .post("/commands/upload-jobs")
            .token(&token)
            .header("idempotency-key", "again");
        create.json(&json!({ "files": [file(0)] }))
    };
    let problem = create().expect_problem(503, "unavailable").await;
    assert_eq!(problem["detail"], "Object storage can't be reached; try again.");
    // The job was stored before the signing of its URLs failed; the retry does not create a second one.
    let job = create().expect_status(200).await.json();
    assert!(job["items"][0]["presignedUrl"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn finalize_and_storage_event_complete_an_upload_once() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let item = &job["items"][0];
    let path = format!("/commands/upload/{}/finalize", text(&item["photoId"]));
    let finalize = || app.post(&path).token(&token);
    app.put(item);
    let responses = join_all((0..50).map(|_| finalize().send())).await;
    assert!(responses.iter().all(|response| response.status == 202));
    assert_json_snapshot!("finalized", normalized(responses[0].json()));
    app.work().await;
    let after = finalize().json(&json!({})).expect_status(202).await.json();
    assert_eq!(after["status"], "COMPLETED", "safe to repeat");
    let history = format!("/queries/photos/{}/history", text(&item["photoId"]));
    let history = app.get(&history).token(&token).expect_status(200).await.json();
    let types: Vec<_> = history["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(&event["type"]))
        .collect();
    assert_eq!(
        types,
        [
            "PhotoQueued",
            "PhotoUploadCompleted",
            "PhotoProcessingStarted",
            "PhotoProcessingCompleted"
        ]
    );
}

#[tokio::test]
async fn a_cancellation_with_repeated_conflicts_is_retryable() {
    let app = TestServer::with(|parts| {
        let journal = Arc::clone(&parts.ports.database.journal);
        parts.ports.database.journal = Arc::new(ConflictingJournal(journal));
    })
    .await;
    let token = app.user("ada").await;
    let created = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [file(1)] }))
        .expect_status(201)
        .await
        .json();
    let cancel = format!("/commands/upload-jobs/{}/cancel", text(&created["jobId"]));
    let answer = app.post(&cancel).token(&token).expect_status(503).await;
    assert_eq!(answer.header("retry-after"), "1");
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(text(&problem["code"]), "contended");
    assert_eq!(
        text(&problem["detail"]),
        "The job was changed concurrently; try again."
    );
}
