use reqwest::Method;

use crate::{process, server::TestServer};

const ORIGIN: &str = "https://photos.example.org";

async fn server() -> TestServer {
    TestServer::with(|parts| parts.config.allowed_origins = vec![ORIGIN.to_owned()]).await
}

#[tokio::test]
async fn preflights_of_allowed_origins_are_accepted() {
    let app = server().await;
    for path in ["/commands/upload-jobs", "/queries/events", "/nowhere"] {
        let preflight = app
            .request(Method::OPTIONS, path)
            .header("origin", ORIGIN)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization, content-type, idempotency-key",
            );
        let response = preflight.expect_status(204).await;
        assert_eq!(response.header("access-control-allow-origin"), ORIGIN);
        assert!(response.header("access-control-allow-methods").contains("DELETE"));
        let headers = response.header("access-control-allow-headers");
        for expected in [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
            "Last-Event-ID",
            "X-Request-Id",
            "traceparent",
        ] {
            assert!(headers.contains(expected), "{headers}");
        }
        assert_eq!(response.header("access-control-max-age"), "7200");
        assert_eq!(response.header("vary"), "Origin");
        assert!(
            !response.has("access-control-allow-credentials"),
            "the API uses no cookies"
        );
    }
}

#[tokio::test]
async fn allowed_origins_can_read_responses_and_problems() {
    let app = server().await;
    for path in ["/healthz", "/queries/photos", "/nowhere"] {
        let response = app.get(path).header("origin", ORIGIN).send().await;
        assert_eq!(response.header("access-control-allow-origin"), ORIGIN, "{path}");
        let exposed = response.header("access-control-expose-headers");
        for expected in [
            "ETag",
            "Location",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
        ] {
            assert!(exposed.contains(expected), "{exposed}");
        }
    }
}

#[tokio::test]
async fn other_origins_are_denied() {
    let app = server().await;
    for origin in [
        "https://evil.example.org",
        "null",
        "https://photos.example.org.evil.example",
        "HTTPS://X",
    ] {
        let preflight = app
            .request(Method::OPTIONS, "/queries/photos")
            .header("origin", origin)
            .header("access-control-request-method", "GET");
        let response = preflight.expect_status(403).await;
        assert!(!response.has("access-control-allow-origin"));
        assert!(response.text().contains("origin_not_allowed"));
        let read = app
            .get("/healthz")
            .header("origin", origin)
            .expect_status(200)
            .await;
        assert!(!read.has("access-control-allow-origin"));
        assert_eq!(read.header("vary"), "Origin");
    }
}

#[tokio::test]
async fn a_refused_origin_is_logged_once_with_the_setting_to_change() {
    let log = process::log();
    let app = server().await;
    let own = format!("http://{}", app.address);
    for origin in [
        "https://forgotten.example",
        "https://forgotten.example",
        ORIGIN,
        &own,
    ] {
        app.get("/healthz")
            .header("origin", origin)
            .expect_status(200)
            .await;
    }
    let text = log.text();
    let warnings = |origin: &str| {
        let named = text
            .lines()
            .filter(|line| line.contains("WARN") && line.contains(origin));
        named.map(str::to_owned).collect::<Vec<_>>()
    };
    let [line] = &warnings("https://forgotten.example")[..] else {
        panic!("one line: {text}")
    };
    assert!(line.contains("server.allowed_origins"), "{line}");
    assert!(warnings(&own).is_empty() && warnings(ORIGIN).is_empty());
}

#[tokio::test]
async fn a_star_allows_every_origin() {
    let app = TestServer::with(|parts| parts.config.allowed_origins = vec!["*".to_owned()]).await;
    let response = app
        .get("/healthz")
        .header("origin", "null")
        .expect_status(200)
        .await;
    assert_eq!(response.header("access-control-allow-origin"), "null");
}
