use reqwest::Method;

use crate::app::TestApp;

const ORIGIN: &str = "https://photos.example.org";

async fn app() -> TestApp {
    TestApp::with(|parts| parts.config.allowed_origins = vec![ORIGIN.to_owned()]).await
}

#[tokio::test]
async fn a_page_of_a_known_origin_learns_what_it_may_do() {
    let app = app().await;
    for path in ["/commands/upload-jobs", "/queries/events", "/nowhere"] {
        let preflight = app
            .ask(Method::OPTIONS, path)
            .header("origin", ORIGIN)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization, content-type, idempotency-key",
            );
        let answer = preflight.sent(204).await;
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        assert!(answer.header("access-control-allow-methods").contains("DELETE"));
        let headers = answer.header("access-control-allow-headers");
        for wanted in [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
            "Last-Event-ID",
            "X-Request-Id",
            "traceparent",
        ] {
            assert!(headers.contains(wanted), "{headers}");
        }
        assert_eq!(answer.header("access-control-max-age"), "7200");
        assert_eq!(answer.header("vary"), "Origin");
        assert!(!answer.has("access-control-allow-credentials"), "no cookies");
    }
}

#[tokio::test]
async fn a_page_reads_answers_and_problems_alike() {
    let app = app().await;
    for path in ["/healthz", "/queries/photos", "/nowhere"] {
        let answer = app.get(path).header("origin", ORIGIN).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{path}");
        let exposed = answer.header("access-control-expose-headers");
        for wanted in [
            "ETag",
            "Location",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
        ] {
            assert!(exposed.contains(wanted), "{exposed}");
        }
    }
}

#[tokio::test]
async fn another_origins_page_learns_nothing() {
    let app = app().await;
    for origin in [
        "https://evil.example.org",
        "null",
        "https://photos.example.org.evil.example",
        "HTTPS://X",
    ] {
        let preflight = app
            .ask(Method::OPTIONS, "/queries/photos")
            .header("origin", origin)
            .header("access-control-request-method", "GET");
        let answer = preflight.sent(403).await;
        assert!(!answer.has("access-control-allow-origin"));
        assert!(answer.text().contains("origin_not_allowed"));
        let read = app.get("/healthz").header("origin", origin).sent(200).await;
        assert!(!read.has("access-control-allow-origin"));
        assert_eq!(read.header("vary"), "Origin");
    }
}

#[tokio::test]
async fn a_star_stands_for_every_origin() {
    let app = TestApp::with(|parts| parts.config.allowed_origins = vec!["*".to_owned()]).await;
    let answer = app.get("/healthz").header("origin", "null").sent(200).await;
    assert_eq!(answer.header("access-control-allow-origin"), "null");
}
