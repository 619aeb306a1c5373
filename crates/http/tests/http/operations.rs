use std::sync::Arc;

use insta::assert_json_snapshot;
use rapidphoto_http::{Dependency, DependencyState, Readiness, Surface};

use crate::server::TestServer;

struct StorageDown {
    required: bool,
}

#[async_trait::async_trait]
impl Readiness for StorageDown {
    async fn dependencies(&self) -> Vec<Dependency> {
        vec![
            Dependency {
                name: "record",
                state: DependencyState::Up,
                required: true,
            },
            Dependency {
                name: "object storage",
                state: DependencyState::Down {
                    reason: "no answer within 3 s".to_owned(),
                },
                required: self.required,
            },
        ]
    }
}

#[tokio::test]
async fn health_readiness_and_metrics_respond() {
    let app = TestServer::start().await;
    assert_json_snapshot!("healthz", app.get("/healthz").expect_status(200).await.json());
    assert_json_snapshot!("readyz", app.get("/readyz").expect_status(200).await.json());
    let metrics = app.get("/metrics").expect_status(200).await;
    assert_eq!(
        metrics.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
}

#[tokio::test]
async fn readiness_lists_failing_dependencies() {
    let app = TestServer::with(|parts| *parts.readiness = Arc::new(StorageDown { required: true })).await;
    assert_json_snapshot!("not_ready", app.get("/readyz").expect_status(503).await.json());
    let app = TestServer::with(|parts| *parts.readiness = Arc::new(StorageDown { required: false })).await;
    assert_eq!(
        app.get("/readyz").expect_status(200).await.json()["status"],
        "ready"
    );
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_serves_other_requests() {
    let app = TestServer::start().await;
    app.draining.send_replace(true);
    let readiness = app.get("/readyz").expect_status(503).await.json();
    assert_eq!(readiness["status"], "stopping");
    app.get("/healthz").expect_status(200).await;
    app.user("late").await;
}

#[tokio::test]
async fn a_listener_for_operators_takes_their_endpoints_from_the_public_one() {
    for (surface, present, absent) in [
        (
            Surface::Public { docs: true },
            &["/healthz", "/docs/", "/openapi.json"][..],
            &["/readyz", "/metrics"][..],
        ),
        (
            Surface::Public { docs: false },
            &["/healthz"],
            &["/docs/", "/openapi.json"],
        ),
        (
            Surface::Operations { docs: false },
            &["/healthz", "/readyz", "/metrics"],
            &["/queries/photos", "/docs/", "/openapi.json"],
        ),
        (
            Surface::Operations { docs: true },
            &["/docs/", "/openapi.json"],
            &["/queries/photos"],
        ),
    ] {
        let app = TestServer::with(|parts| parts.config.surface = surface).await;
        for path in present {
            assert_eq!(app.get(path).send().await.status, 200, "{surface:?} {path}");
        }
        for path in absent {
            // Undocumented for these paths, because most deployments have them.
            assert_eq!(app.get(path).open().await.status(), 404, "{surface:?} {path}");
        }
    }
}

#[tokio::test]
async fn request_metrics_are_labelled_by_path_template() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    app.get("/queries/photos/ph_secret")
        .token(&token)
        .expect_status(404)
        .await;
    app.get("/some/secret/path").expect_status(404).await;
    app.request("BREW".parse().unwrap(), "/healthz")
        .expect_status(405)
        .await;
    let metrics = app.get("/metrics").expect_status(200).await.text();
    for line in [
        "http_requests_total{method=\"GET\",route=\"/queries/photos/{photoId}\",status=\"4xx\"}",
        "http_requests_total{method=\"GET\",route=\"unknown\",status=\"4xx\"}",
        "http_requests_total{method=\"other\",route=\"/healthz\",status=\"4xx\"}",
        "http_requests_total{method=\"POST\",route=\"/commands/auth/register\",status=\"2xx\"}",
        "http_request_duration_seconds_count{method=\"POST\",route=\"/commands/auth/login\",status=\"2xx\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("secret") && !metrics.contains("BREW"));
}
