use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{
    normalize::normalized,
    samples::{PHOTO, operations, sample_path},
    server::TestServer,
};

/// Paths of all endpoints with a body.
fn paths_with_body() -> Vec<String> {
    let document = serde_json::to_value(rapidphoto_http::openapi()).unwrap();
    let paths: Vec<String> = operations(&document)
        .into_iter()
        .filter(|(.., operation)| operation["requestBody"].is_object())
        .map(|(_, path, _)| sample_path(&path))
        .collect();
    let expected = [
        "/commands/auth/login".to_owned(),
        "/commands/auth/logout".to_owned(),
        "/commands/auth/refresh".to_owned(),
        "/commands/auth/register".to_owned(),
        "/commands/auth/stream-ticket".to_owned(),
        format!("/commands/photos/{PHOTO}/tags"),
        "/commands/upload-jobs".to_owned(),
        "/commands/upload/progress".to_owned(),
        format!("/commands/upload/{PHOTO}/finalize"),
        format!("/commands/upload/{PHOTO}/parts"),
    ];
    assert_eq!(paths, expected);
    paths
}

async fn unlimited_server() -> TestServer {
    TestServer::with(|parts| {
        parts.config.jobs_per_minute = 1000.try_into().unwrap();
        parts.config.progress_per_second = 1000.try_into().unwrap();
    })
    .await
}

#[tokio::test]
async fn malformed_json_and_invalid_utf8_are_rejected() {
    let app = unlimited_server().await;
    let token = app.user("ada").await;
    let deep = "[".repeat(1_000_000);
    let deep_member = format!("{{\"files\":{}", "[".repeat(900_000));
    let deep_object = "{\"files\":".repeat(100_000);
    for path in paths_with_body() {
        let post = |body: &[u8]| app.post(&path).token(&token).raw(body);
        for body in [
            "{",
            "}",
            "x",
            "{\"a\":}",
            "{} {}",
            "\u{feff}{}",
            "[1,",
            "\"",
            "nul",
            &deep,
        ] {
            post(body.as_bytes()).expect_problem(400, "malformed_json").await;
        }
        for hostile in [deep_member.as_bytes(), deep_object.as_bytes()] {
            let response = post(hostile).send().await;
            assert!(
                (400..500).contains(&response.status),
                "{path}: {}",
                response.text()
            );
        }
        for body in [
            &b"\xff"[..],
            b"{\"email\":\"\xc3\x28\"}",
            b"{\"x\":\"\xed\xa0\x80\"}",
        ] {
            post(body).expect_problem(400, "invalid_utf8").await;
        }
    }
}

#[tokio::test]
async fn a_missing_body_is_malformed_json() {
    let app = unlimited_server().await;
    for path in [
        "/commands/auth/register",
        "/commands/auth/login",
        "/commands/auth/refresh",
    ] {
        app.post(path).expect_problem(400, "malformed_json").await;
    }
}

#[tokio::test]
async fn unknown_members_are_refused_with_a_pointer() {
    let app = unlimited_server().await;
    let token = app.user("ada").await;
    for path in paths_with_body() {
        let post = |body: &Value| app.post(&path).token(&token).json(body);
        for name in ["checksun", "a/b~c"] {
            let problem = post(&json!({ name: 1 }))
                .expect_problem(422, "invalid_body")
                .await;
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{path}");
            assert_eq!(problem["errors"][0]["code"], "unknown_member", "{path}");
        }
    }
    let file = json!({ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1, "checksun": null });
    let body = json!({ "files": [file] });
    let problem = app.post("/commands/upload-jobs").token(&token).json(&body);
    let problem = problem.expect_problem(422, "invalid_body").await;
    assert_eq!(problem["errors"][0]["pointer"], "/files/0/checksun");
    let tick = json!({ "photoId": PHOTO, "bytesSent": 1, "bytesTotal": 2 });
    let mut mistyped = tick.clone();
    mistyped["x"] = json!(2);
    let body = json!([tick, mistyped]);
    let problem = app.post("/commands/upload/progress").token(&token).json(&body);
    let problem = problem.expect_problem(422, "invalid_body").await;
    assert_eq!(problem["errors"][0]["pointer"], "/1/x");
}

#[tokio::test]
async fn deeply_nested_unknown_members_are_refused() {
    let app = unlimited_server().await;
    let nested = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let body = format!("{{\"refreshToken\":\"x\",\"later\":{nested}}}");
    app.post("/commands/auth/logout")
        .raw(body)
        .expect_problem(422, "invalid_body")
        .await;
}

#[tokio::test]
async fn invalid_bodies_get_a_pointer_to_the_error() {
    let app = unlimited_server().await;
    let token = app.user("ada").await;
    let with = |name: &str, value: Value| {
        let mut file = json!({ "filename": "a.jpg", "mimeType": "image/jpeg", "bytes": 1 });
        file[name] = value;
        json!({ "files": [file] })
    };
    for (body, pointer, code) in [
        (json!(null), "", "invalid_value"),
        (json!([]), "", "invalid_value"),
        (
            json!({ "files": [["a.jpg", "image/jpeg", 1]] }),
            "/files/0",
            "invalid_value",
        ),
        (json!("x"), "", "invalid_value"),
        (json!({}), "/files", "missing"),
        (json!({ "files": {} }), "/files", "invalid_value"),
        (json!({ "files": [7] }), "/files/0", "invalid_value"),
        (json!({ "files": [{}] }), "/files/0/filename", "missing"),
        (with("bytes", json!(-1)), "/files/0/bytes", "invalid_value"),
        (with("bytes", json!(1.5)), "/files/0/bytes", "invalid_value"),
        (with("bytes", json!(1e30)), "/files/0/bytes", "invalid_value"),
        (with("bytes", json!("1")), "/files/0/bytes", "invalid_value"),
        (
            with("filename", json!(null)),
            "/files/0/filename",
            "invalid_value",
        ),
        (
            with("checksum", json!({ "algo": "sha256" })),
            "/files/0/checksum/value",
            "missing",
        ),
        (
            json!({ "files": [], "strategy": "ftp" }),
            "/strategy",
            "invalid_value",
        ),
        (
            json!({ "files": [], "strategy": 1 }),
            "/strategy",
            "invalid_value",
        ),
        (
            json!({ "files": [], "dedupe": "yes" }),
            "/dedupe",
            "invalid_value",
        ),
    ] {
        let post = app.post("/commands/upload-jobs").token(&token).json(&body);
        let problem = post.expect_problem(422, "invalid_body").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{body}: {problem}");
    }
    let twice = app
        .post("/commands/upload-jobs")
        .token(&token)
        .raw("{\"files\":[],\"files\":[]}");
    twice.expect_problem(422, "invalid_body").await;
    let unknown = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [], "strategy": "ftp" }));
    assert_json_snapshot!(
        "invalid_body",
        normalized(unknown.expect_problem(422, "invalid_body").await)
    );
}

#[tokio::test]
async fn problems_quote_little_of_the_input() {
    let app = unlimited_server().await;
    let long = "x".repeat(500_000);
    let body = json!({ "email": { &long: 1 }, "password": long });
    let response = app
        .post("/commands/auth/register")
        .json(&body)
        .expect_status(422)
        .await;
    assert!(response.body.len() < 2000, "{}", response.body.len());
    let body = json!({ "refreshToken": [long] });
    let response = app
        .post("/commands/auth/refresh")
        .json(&body)
        .expect_status(422)
        .await;
    assert!(response.body.len() < 2000, "{}", response.body.len());
}

#[tokio::test]
async fn bodies_must_be_json_without_encoding() {
    let app = unlimited_server().await;
    let token = app.user("ada").await;
    for path in paths_with_body() {
        let post = || app.post(&path).token(&token);
        post()
            .untyped("{}")
            .expect_problem(415, "unsupported_media_type")
            .await;
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/json; charset=latin1",
            "nonsense",
        ] {
            let problem = post().untyped("{}").header("content-type", other);
            let problem = problem.expect_problem(415, "unsupported_media_type").await;
            assert_eq!(problem["errors"][0]["pointer"], "Content-Type", "{other}");
        }
        let gzip = post()
            .raw(&b"\x1f\x8b\x08"[..])
            .header("content-encoding", "gzip");
        let problem = gzip.expect_problem(415, "unsupported_media_type").await;
        assert_eq!(problem["errors"][0]["pointer"], "Content-Encoding");
    }
    let utf8 = app
        .post("/commands/auth/logout")
        .untyped("{\"refreshToken\":\"x\"}");
    utf8.header("content-type", "application/json; charset=UTF-8")
        .expect_status(204)
        .await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_rejected() {
    let app = unlimited_server().await;
    let token = app.user("ada").await;
    let limit = 1024 * 1024;
    for path in paths_with_body() {
        for length in [limit + 1, 3 * limit] {
            let post = app.post(&path).token(&token).raw(vec![b' '; length]);
            post.expect_problem(413, "body_too_large").await;
        }
    }
    let mut body = b"{\"refreshToken\":\"x\"}".to_vec();
    body.resize(limit, b' ');
    app.post("/commands/auth/logout")
        .raw(body)
        .expect_status(204)
        .await;
}
