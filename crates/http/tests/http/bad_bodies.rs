use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{app::TestApp, names::renamed};

const PHOTO: &str = "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";

/// Every endpoint that takes a body.
fn takers() -> Vec<String> {
    vec![
        "/commands/auth/register".to_owned(),
        "/commands/auth/login".to_owned(),
        "/commands/auth/refresh".to_owned(),
        "/commands/auth/logout".to_owned(),
        "/commands/auth/stream-ticket".to_owned(),
        "/commands/upload-jobs".to_owned(),
        "/commands/upload/progress".to_owned(),
        format!("/commands/upload/{PHOTO}/finalize"),
    ]
}

async fn patient() -> TestApp {
    TestApp::with(|parts| {
        parts.config.jobs_per_minute = 1000.try_into().unwrap();
        parts.config.progress_per_second = 1000.try_into().unwrap();
    })
    .await
}

#[tokio::test]
async fn what_is_not_json_is_refused_as_such() {
    let app = patient().await;
    let token = app.user("ada").await;
    let deep = "[".repeat(1_000_000);
    let deep_member = format!("{{\"files\":{}", "[".repeat(900_000));
    let deep_object = "{\"files\":".repeat(100_000);
    for path in takers() {
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
            post(body.as_bytes()).refused(400, "malformed_json").await;
        }
        for hostile in [deep_member.as_bytes(), deep_object.as_bytes()] {
            let answer = post(hostile).send().await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
        }
        for body in [
            &b"\xff"[..],
            b"{\"email\":\"\xc3\x28\"}",
            b"{\"x\":\"\xed\xa0\x80\"}",
        ] {
            post(body).refused(400, "invalid_utf8").await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_wanted_and_not_there_is_missed() {
    let app = patient().await;
    for path in [
        "/commands/auth/register",
        "/commands/auth/login",
        "/commands/auth/refresh",
    ] {
        app.post(path).refused(400, "malformed_json").await;
    }
}

#[tokio::test]
async fn a_body_that_is_ignored_in_part_is_still_read_to_its_end() {
    let app = patient().await;
    let nested = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let body = format!("{{\"refreshToken\":\"x\",\"later\":{nested}}}");
    app.post("/commands/auth/logout").raw(body).sent(204).await;
}

#[tokio::test]
async fn a_body_of_another_shape_says_where() {
    let app = patient().await;
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
        let problem = post.refused(422, "invalid_body").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{body}: {problem}");
    }
    let twice = app
        .post("/commands/upload-jobs")
        .token(&token)
        .raw("{\"files\":[],\"files\":[]}");
    twice.refused(422, "invalid_body").await;
    let unknown = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [], "strategy": "ftp" }));
    assert_json_snapshot!(
        "invalid_body",
        renamed(unknown.refused(422, "invalid_body").await)
    );
}

#[tokio::test]
async fn what_a_client_sent_is_not_sent_back_at_length() {
    let app = patient().await;
    let long = "x".repeat(500_000);
    let body = json!({ "email": { &long: 1 }, "password": long });
    let answer = app.post("/commands/auth/register").json(&body).sent(422).await;
    assert!(answer.body.len() < 2000, "{}", answer.body.len());
    let body = json!({ "refreshToken": [long] });
    let answer = app.post("/commands/auth/refresh").json(&body).sent(422).await;
    assert!(answer.body.len() < 2000, "{}", answer.body.len());
}

#[tokio::test]
async fn a_body_has_a_type() {
    let app = patient().await;
    let token = app.user("ada").await;
    for path in takers() {
        let post = || app.post(&path).token(&token);
        post().untyped("{}").refused(415, "unsupported_media_type").await;
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/json; charset=latin1",
            "nonsense",
        ] {
            let problem = post().untyped("{}").header("content-type", other);
            let problem = problem.refused(415, "unsupported_media_type").await;
            assert_eq!(problem["errors"][0]["pointer"], "Content-Type", "{other}");
        }
        let gzip = post()
            .raw(&b"\x1f\x8b\x08"[..])
            .header("content-encoding", "gzip");
        let problem = gzip.refused(415, "unsupported_media_type").await;
        assert_eq!(problem["errors"][0]["pointer"], "Content-Encoding");
    }
    let utf8 = app
        .post("/commands/auth/logout")
        .untyped("{\"refreshToken\":\"x\"}");
    utf8.header("content-type", "application/json; charset=UTF-8")
        .sent(204)
        .await;
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let app = patient().await;
    let token = app.user("ada").await;
    let limit = 1024 * 1024;
    for path in takers() {
        for length in [limit + 1, 3 * limit] {
            let post = app.post(&path).token(&token).raw(vec![b' '; length]);
            post.refused(413, "body_too_large").await;
        }
    }
    let mut body = b"{\"refreshToken\":\"x\"}".to_vec();
    body.resize(limit, b' ');
    app.post("/commands/auth/logout").raw(body).sent(204).await;
}
