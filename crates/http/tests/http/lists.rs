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
        ("q=", "invalid_parameter", "q"),
        (&format!("q={}", "x".repeat(101)), "invalid_parameter", "q"),
        ("tag=", "invalid_parameter", "tag"),
        ("takenFrom=2026-02-30", "invalid_parameter", "takenFrom"),
        ("takenFrom=2026-01-01T00:00:00Z", "invalid_parameter", "takenFrom"),
        ("takenTo=yesterday", "invalid_parameter", "takenTo"),
        ("takenTo=", "invalid_parameter", "takenTo"),
        ("page=0", "invalid_parameter", "page"),
        ("page=201", "invalid_parameter", "page"),
        ("page=51&size=200", "invalid_parameter", "page"),
        ("page=10001&size=1", "invalid_parameter", "page"),
        ("page=-1", "invalid_parameter", "page"),
        ("page=1.0", "invalid_parameter", "page"),
        ("page=18446744073709551616", "invalid_parameter", "page"),
        (&format!("page=1&cursor={cursor}"), "invalid_parameter", "page"),
        ("cursor=AAAA", "invalid_cursor", "cursor"),
        ("cursor=%00", "invalid_cursor", "cursor"),
        (
            &format!("cursor={}", "A".repeat(8000)),
            "invalid_cursor",
            "cursor",
        ),
        (&format!("cursor={cursor}="), "invalid_cursor", "cursor"),
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
        .get("/queries/photos?name=x&Page=2")
        .token(&token)
        .expect_status(422)
        .await;
    assert_json_snapshot!(
        "unsupported_parameters",
        normalized(serde_json::from_slice(&problem.body).unwrap())
    );
}

#[tokio::test]
async fn photos_are_found_by_words_tags_and_times() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let photos = three_photos(&app, &token).await;
    app.post(&format!("/commands/photos/{}/tags", photos[1]))
        .token(&token)
        .json(&json!({ "labels": ["Zürich", "sea shore"] }))
        .expect_status(200)
        .await;
    let all: Vec<String> = photos.iter().rev().cloned().collect();
    for (query, expected) in [
        ("q=a", &all[..]),
        ("q=A.JPG", &all),
        ("q=!", &all),
        ("q=zur+sho", &all[1..2]),
        ("q=ZU%CC%88RICH", &all[1..2]),
        ("q=zur&tag=sea%20shore&status=QUEUED", &all[1..2]),
        ("q=zur&status=COMPLETED", &[]),
        ("q=rich", &[]),
        ("takenFrom=1900-01-01", &[]),
        ("takenTo=9999-12-31T23:59:59", &[]),
        ("page=2&size=2", &all[2..]),
        ("page=1&size=2&q=a", &all[..2]),
        ("page=4&size=1", &[]),
        ("page=10000&size=1", &[]),
    ] {
        let path = format!("/queries/photos?{query}");
        let page = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(ids(&page), expected, "{query}");
    }
    let path = "/queries/photos?page=1&size=2";
    let page = app.get(path).token(&token).expect_status(200).await.json();
    let path = format!("/queries/photos?cursor={}", text(&page["nextCursor"]));
    let rest = app.get(&path).token(&token).expect_status(200).await.json();
    assert_eq!(ids(&rest), all[2..], "a numbered page leads to the next one");
}

#[tokio::test]
async fn labels_are_listed_with_their_number_of_photos() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let photos = three_photos(&app, &token).await;
    for (photo, labels) in photos
        .iter()
        .zip([["sea", "ü/1"], ["sea", "beach"], ["sea", "Sea"]])
    {
        app.post(&format!("/commands/photos/{photo}/tags"))
            .token(&token)
            .json(&json!({ "labels": labels }))
            .expect_status(200)
            .await;
    }
    let labels = [("Sea", 1), ("beach", 1), ("sea", 3), ("ü/1", 1)]
        .map(|(label, photos)| json!({ "label": label, "photos": photos }));
    let page = app
        .get("/queries/tags")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(page, json!({ "items": labels, "nextCursor": null }));
    let first = app
        .get("/queries/tags?size=3")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(first["items"], json!(labels[..3]));
    let path = format!("/queries/tags?size=3&cursor={}", text(&first["nextCursor"]));
    let second = app.get(&path).token(&token).expect_status(200).await.json();
    assert_eq!(second, json!({ "items": labels[3..], "nextCursor": null }));
    let other = app.user("bob").await;
    let none = app
        .get("/queries/tags")
        .token(&other)
        .expect_status(200)
        .await
        .json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn jobs_are_listed_newest_first_as_their_snapshots_show_them() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    three_photos(&app, &token).await;
    app.clock.advance(Duration::from_secs(1));
    app.completed_job(&token, 2).await;
    let page = app
        .get("/queries/upload-jobs")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    let jobs = page["items"].as_array().unwrap().clone();
    assert_eq!((jobs.len(), &page["nextCursor"]), (4, &Value::Null));
    assert_eq!(
        (&jobs[0]["status"], &jobs[1]["status"]),
        (&json!("COMPLETED"), &json!("QUEUED"))
    );
    let times: Vec<String> = jobs.iter().map(|job| text(&job["createdAt"])).collect();
    assert!(times.is_sorted_by(|one, next| one > next), "{times:?}");
    for job in &jobs {
        let path = format!("/queries/upload-jobs/{}", text(&job["jobId"]));
        let mut snapshot = app.get(&path).token(&token).expect_status(200).await.json();
        for only_there in ["photos", "cursor"] {
            snapshot.as_object_mut().unwrap().remove(only_there).unwrap();
        }
        assert_eq!(*job, snapshot);
    }
    let first = app
        .get("/queries/upload-jobs?size=3")
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_eq!(first["items"], json!(jobs[..3]));
    let path = format!("/queries/upload-jobs?cursor={}", text(&first["nextCursor"]));
    let rest = app.get(&path).token(&token).expect_status(200).await.json();
    assert_eq!(rest, json!({ "items": jobs[3..], "nextCursor": null }));
    for (status, expected) in [("COMPLETED", &jobs[..1]), ("QUEUED", &jobs[1..]), ("FAILED", &[])] {
        let path = format!("/queries/upload-jobs?status={status}");
        let page = app.get(&path).token(&token).expect_status(200).await.json();
        assert_eq!(page["items"], json!(expected), "{status}");
    }
}

#[tokio::test]
async fn a_cursor_is_valid_for_its_own_list_only() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let photos = three_photos(&app, &token).await;
    app.post(&format!("/commands/photos/{}/tags", photos[0]))
        .token(&token)
        .json(&json!({ "labels": ["a", "b"] }))
        .expect_status(200)
        .await;
    let lists = ["/queries/photos", "/queries/upload-jobs", "/queries/tags"];
    for list in lists {
        let path = format!("{list}?size=1");
        let page = app.get(&path).token(&token).expect_status(200).await.json();
        let cursor = text(&page["nextCursor"]);
        for other in lists {
            let request = app.get(&format!("{other}?cursor={cursor}")).token(&token);
            if other == list {
                request.expect_status(200).await;
            } else {
                request.expect_problem(422, "invalid_cursor").await;
            }
        }
        for (query, code) in [
            ("cursor=", "invalid_cursor"),
            ("cursor=%20", "invalid_cursor"),
            ("cursor=%FF", "invalid_cursor"),
            ("cursor=Og", "invalid_cursor"),
            ("cursor=am9iczo", "invalid_cursor"),
            ("cursor=dGFnczo", "invalid_cursor"),
            ("cursor=x&cursor=y", "invalid_parameter"),
            ("size=0", "invalid_parameter"),
            ("size=201", "invalid_parameter"),
            ("size=1e2", "invalid_parameter"),
            ("size=%2B1%2B", "invalid_parameter"),
            ("offset=1", "unsupported_parameter"),
        ] {
            app.get(&format!("{list}?{query}"))
                .token(&token)
                .expect_problem(422, code)
                .await;
        }
    }
}
