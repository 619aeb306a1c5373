use serde_json::{Value, json};

use crate::{
    client::TestRequest,
    server::{TestServer, text},
};

/// App, access token and id of a photo.
async fn app_with_photo() -> (TestServer, String, String) {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let photo = text(&job["items"][0]["photoId"]);
    (app, token, photo)
}

fn add<'a>(app: &'a TestServer, token: &str, photo: &str, labels: &Value) -> TestRequest<'a> {
    app.post(&format!("/commands/photos/{photo}/tags"))
        .token(token)
        .json(&json!({ "labels": labels }))
}

/// `label` must be percent-encoded.
fn remove<'a>(app: &'a TestServer, token: &str, photo: &str, label: &str) -> TestRequest<'a> {
    app.delete(&format!("/commands/photos/{photo}/tags/{label}"))
        .token(token)
}

fn numbered(numbers: std::ops::Range<usize>) -> Value {
    numbers.map(|number| format!("{number:03}")).collect()
}

async fn tags(app: &TestServer, token: &str, photo: &str) -> Value {
    let path = format!("/queries/photos/{photo}");
    app.get(&path).token(token).expect_status(200).await.json()["tags"].clone()
}

/// Ids of the photos in the list with this query.
async fn listed(app: &TestServer, token: &str, query: &str) -> Vec<String> {
    let path = format!("/queries/photos?{query}");
    let page = app.get(&path).token(token).expect_status(200).await.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|photo| text(&photo["photoId"])).collect()
}

#[tokio::test]
async fn tags_are_added_shown_and_removed() {
    let (app, token, photo) = app_with_photo().await;
    let added = add(&app, &token, &photo, &json!([" sea ", "Zu\u{308}rich", "sea"]))
        .expect_status(200)
        .await;
    assert_eq!(
        added.json(),
        json!({ "photoId": photo, "tags": ["Zürich", "sea"] })
    );
    assert_eq!(tags(&app, &token, &photo).await, json!(["Zürich", "sea"]));
    let removed = remove(&app, &token, &photo, "sea").expect_status(200).await;
    assert_eq!(removed.json(), json!({ "photoId": photo, "tags": ["Zürich"] }));
    assert_eq!(tags(&app, &token, &photo).await, json!(["Zürich"]));
}

#[tokio::test]
async fn repeated_requests_succeed_and_cause_no_event() {
    let (app, token, photo) = app_with_photo().await;
    for _ in 0..2 {
        let added = add(&app, &token, &photo, &json!(["a", "b"]));
        assert_eq!(added.expect_status(200).await.json()["tags"], json!(["a", "b"]));
    }
    for _ in 0..2 {
        let removed = remove(&app, &token, &photo, "a");
        assert_eq!(removed.expect_status(200).await.json()["tags"], json!(["b"]));
    }
    let path = format!("/queries/photos/{photo}/history");
    let history = app.get(&path).token(&token).expect_status(200).await.json();
    let events = history["events"].as_array().unwrap();
    let changes: Vec<_> = events[1..]
        .iter()
        .map(|event| (text(&event["type"]), event["data"].clone()))
        .collect();
    assert_eq!(
        changes,
        [
            ("PhotoTagged".to_owned(), json!({ "labels": ["a", "b"] })),
            ("PhotoUntagged".to_owned(), json!({ "labels": ["a"] })),
        ]
    );
    assert!(events[1]["actor"].is_string() && events[1]["requestId"].is_string());
}

#[tokio::test]
async fn a_request_has_1_to_20_labels() {
    let (app, token, photo) = app_with_photo().await;
    add(&app, &token, &photo, &numbered(0..20))
        .expect_status(200)
        .await;
    for count in [0, 21] {
        let problem = add(&app, &token, &photo, &numbered(20..20 + count))
            .expect_problem(422, "invalid_body")
            .await;
        assert_eq!(problem["errors"][0]["pointer"], "/labels");
        let message = format!("{count} labels were sent; 1 to 20 are allowed");
        assert_eq!(problem["errors"][0]["message"], message);
    }
    assert_eq!(tags(&app, &token, &photo).await, numbered(0..20));
}

#[tokio::test]
async fn a_photo_has_at_most_100_tags() {
    let (app, token, photo) = app_with_photo().await;
    for first in [0, 20, 40, 60, 80] {
        add(&app, &token, &photo, &numbered(first..first + 20))
            .expect_status(200)
            .await;
    }
    let problem = add(&app, &token, &photo, &numbered(99..101))
        .expect_problem(422, "too_many_tags")
        .await;
    assert_eq!(
        problem["detail"],
        "The photo has 100 tags and the request adds 1, but only 100 are allowed. Remove some first."
    );
    assert_eq!(problem["errors"][0]["pointer"], "/labels");
    assert_eq!(tags(&app, &token, &photo).await, numbered(0..100));
    remove(&app, &token, &photo, "000").expect_status(200).await;
    add(&app, &token, &photo, &numbered(99..101))
        .expect_status(200)
        .await;
    assert_eq!(tags(&app, &token, &photo).await, numbered(1..101));
}

#[tokio::test]
async fn each_invalid_label_is_reported() {
    let (app, token, photo) = app_with_photo().await;
    let long = "x".repeat(65);
    let labels = json!(["good", "", "a\nb", "猫", long, ".."]);
    let problem = add(&app, &token, &photo, &labels)
        .expect_problem(422, "invalid_body")
        .await;
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| text(&error["pointer"])).collect();
    assert_eq!(pointers, ["/labels/1", "/labels/2", "/labels/4", "/labels/5"]);
    for label in ["%20", "a%0Ab", "%FF", &long] {
        let problem = remove(&app, &token, &photo, label)
            .expect_problem(422, "invalid_parameter")
            .await;
        assert_eq!(problem["errors"][0]["pointer"], "label", "{label}");
    }
    assert_eq!(tags(&app, &token, &photo).await, json!([]));
    for (body, pointer) in [
        (json!({}), "/labels"),
        (json!({ "labels": "a" }), "/labels"),
        (json!({ "labels": ["a", 1] }), "/labels/1"),
        (json!({ "labels": ["a"], "label": "b" }), "/label"),
    ] {
        let problem = app
            .post(&format!("/commands/photos/{photo}/tags"))
            .token(&token)
            .json(&body)
            .expect_problem(422, "invalid_body")
            .await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
}

#[tokio::test]
async fn labels_in_paths_are_percent_decoded_and_normalised() {
    let (app, token, photo) = app_with_photo().await;
    for (label, encoded) in [
        ("猫", "%E7%8C%AB"),
        ("Zürich", "%20Zu%CC%88rich"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a+b", "a+b"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("?#", "%3F%23"),
        ("...", "..."),
    ] {
        let added = add(&app, &token, &photo, &json!([label]));
        assert_eq!(added.expect_status(200).await.json()["tags"], json!([label]));
        let removed = remove(&app, &token, &photo, encoded).expect_status(200).await;
        assert_eq!(removed.json()["tags"], json!([]), "{label}");
    }
}

#[tokio::test]
async fn other_users_photos_and_deleted_photos_are_not_found() {
    let (app, token, photo) = app_with_photo().await;
    let eve = app.user("eve").await;
    add(&app, &token, &photo, &json!(["a"])).expect_status(200).await;
    let expect_not_found = async |token: &str| {
        add(&app, token, &photo, &json!(["b"]))
            .expect_problem(404, "no_such_photo")
            .await;
        remove(&app, token, &photo, "a")
            .expect_problem(404, "no_such_photo")
            .await;
    };
    expect_not_found(&eve).await;
    assert_eq!(tags(&app, &token, &photo).await, json!(["a"]));
    for _ in 0..2 {
        let delete = app.delete(&format!("/commands/photos/{photo}"));
        delete.token(&token).expect_status(200).await;
    }
    expect_not_found(&token).await;
    add(&app, &token, "x", &json!(["b"]))
        .expect_problem(404, "no_such_photo")
        .await;
}

#[tokio::test]
async fn lists_filter_by_tag() {
    let app = TestServer::start().await;
    let (token, eve) = (app.user("ada").await, app.user("eve").await);
    let mut photos = Vec::new();
    for _ in 0..3 {
        app.clock.advance(std::time::Duration::from_secs(1));
        photos.push(text(&app.job(&token, 1).await["items"][0]["photoId"]));
    }
    add(&app, &token, &photos[0], &json!(["a/b", "Zürich"]))
        .expect_status(200)
        .await;
    add(&app, &token, &photos[2], &json!(["a/b"]))
        .expect_status(200)
        .await;
    let cancel = app.delete(&format!("/commands/photos/{}", photos[2]));
    cancel.token(&token).expect_status(200).await;
    for (query, expected) in [
        ("tag=a/b", &[2, 0][..]),
        ("tag=a%2Fb&sort=createdAt", &[0, 2]),
        ("tag=%20Zu%CC%88rich%20", &[0]),
        ("tag=a/b&status=QUEUED", &[0]),
        ("tag=a/b&status=CANCELLED", &[2]),
        ("tag=a", &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|index| photos[*index].clone()).collect();
        assert_eq!(listed(&app, &token, query).await, expected, "{query}");
    }
    assert_eq!(listed(&app, &eve, "tag=a/b").await, [""; 0]);
    let path = "/queries/photos?tag=a/b&size=1";
    let page = app.get(path).token(&token).expect_status(200).await.json();
    let next = format!("tag=a/b&size=1&cursor={}", text(&page["nextCursor"]));
    assert_eq!(listed(&app, &token, &next).await, photos[..1]);
    remove(&app, &token, &photos[0], "a%2Fb").expect_status(200).await;
    assert_eq!(listed(&app, &token, "tag=a/b").await, photos[2..]);
    for query in ["tag=", "tag=..", "tag=%FF", "tag=a&tag=b"] {
        let path = format!("/queries/photos?{query}");
        let problem = app.get(&path).token(&token);
        let problem = problem.expect_problem(422, "invalid_parameter").await;
        assert_eq!(problem["errors"][0]["pointer"], "tag", "{query}");
    }
}

#[tokio::test]
async fn concurrent_requests_are_all_in_effect() {
    let (app, token, photo) = app_with_photo().await;
    let requests = (0..4).map(|number| {
        let labels = numbered(number * 20..(number + 1) * 20);
        add(&app, &token, &photo, &labels).expect_status(200)
    });
    let responses = futures::future::join_all(requests).await;
    let counts = responses
        .iter()
        .map(|response| response.json()["tags"].as_array().unwrap().len());
    assert_eq!(counts.max(), Some(80));
    assert_eq!(tags(&app, &token, &photo).await, numbered(0..80));
}
