use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{
    normalize::normalized,
    server::{TestServer, text},
};

async fn three_photos(app: &TestServer, token: &str) -> Vec<String> {
    let mut photos = Vec::new();
    for bytes in [30, 10, 20] {
        app.clock.advance(Duration::from_secs(1));
        let body = json!({ "files": [{ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": bytes }] });
        let job = app
            .post("/commands/upload-jobs")
            .token(token)
            .json(&body)
            .expect_status(201)
            .await
            .json();
        photos.push(text(&job["items"][0]["photoId"]));
    }
    photos
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|photo| text(&photo["photoId"]))
        .collect()
}

#[tokio::test]
async fn pages_are_contiguous_in_each_order() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let photos = three_photos(&app, &token).await;
    for (sort, order) in [
        ("createdAt", [0, 1, 2]),
        ("-createdAt", [2, 1, 0]),
        ("bytes", [1, 2, 0]),
        ("-bytes", [0, 2, 1]),
    ] {
        let expected: Vec<&String> = order.iter().map(|index| &photos[*index]).collect();
        let path = format!("/queries/photos?sort={sort}&size=2");
        let first = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(ids(&first), [expected[0].as_str(), expected[1]], "{sort}");
        let path = format!("{path}&cursor={}", text(&first["nextCursor"]));
        let second = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(ids(&second), [expected[2].as_str()], "{sort}");
        assert_eq!(second["nextCursor"], Value::Null);
    }
    let newest_first = app
        .get("/queries/photos")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(ids(&newest_first)[0], photos[2]);
    assert_json_snapshot!("list", normalized(newest_first));
    for sort in ["takenAt", "-takenAt"] {
        let path = format!("/queries/photos?sort={sort}");
        let without_time = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(without_time["items"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn lists_filter_by_status() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    three_photos(&app, &token).await;
    let done = app.completed_job(&token, 1).await;
    for (status, count) in [("COMPLETED", 1), ("QUEUED", 3), ("FAILED", 0)] {
        let path = format!("/queries/photos?status={status}");
        let page = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{status}");
    }
    let completed = app
        .get("/queries/photos?status=COMPLETED")
        .token(&token)
        .expect_status(200)
        .await;
    assert_eq!(ids(&completed.json()), [text(&done["items"][0]["photoId"])]);
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    three_photos(&app, &token).await;
    let page = app
        .get("/queries/photos?size=1")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    let cursor = text(&page["nextCursor"]);
    for (query, code, parameter) in [
        ("size=0", "invalid_parameter", "size"),
        ("size=201", "invalid_parameter", "size"),
        ("size=-1", "invalid_parameter", "size"),
        ("size=99999999999999999999", "invalid_parameter", "size"),
        ("size=x", "invalid_parameter", "size"),
        ("size=", "invalid_parameter", "size"),
        ("size=1&size=1", "invalid_parameter", "size"),
        ("status=completed", "invalid_parameter", "status"),
        ("status=%FF", "invalid_parameter", "status"),
        ("sort=name", "invalid_parameter", "sort"),
        ("sort=", "invalid_parameter", "sort"),
        ("cursor=x", "invalid_cursor", "cursor"),
        ("cursor=", "invalid_cursor", "cursor"),
        (
            &format!("cursor={cursor}&sort=bytes"),
            "cursor_of_another_sort",
            "cursor",
        ),
        ("tags=x", "unsupported_parameter", "tags"),
        ("q=x", "unsupported_parameter", "q"),
        ("takenFrom=2026-01-01", "unsupported_parameter", "takenFrom"),
        ("takenTo=2026-01-01", "unsupported_parameter", "takenTo"),
        ("page=2", "unsupported_parameter", "page"),
        ("Size=1", "unsupported_parameter", "Size"),
    ] {
        let problem = app
            .get(&format!("/queries/photos?{query}"))
            .token(&token)
            .expect_problem(422, code)
            .await;
        assert_eq!(problem["errors"][0]["pointer"], parameter, "{query}");
    }
    let problem = app
        .get("/queries/photos?q=x&page=2")
        .token(&token)
        .expect_status(422)
        .await;
    assert_json_snapshot!(
        "unsupported_parameters",
        normalized(serde_json::from_slice(&problem.body).unwrap())
    );
}
