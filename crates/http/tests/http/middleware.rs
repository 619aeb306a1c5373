use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{
    AccessTokens, BoxError, Cursor, EventFilter, EventLog, Grant, PasswordHash, PasswordHasher, Scope,
    TokenError,
};
use rapidphoto_domain::{Timestamp, UserId};
use rapidphoto_http::{Dependency, Readiness};
use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::server::{MAX_SHUTDOWN, TestServer, file, text};

struct Panicking;

#[async_trait::async_trait]
impl Readiness for Panicking {
    async fn dependencies(&self) -> Vec<Dependency> {
        panic!("requested by a test");
    }
}

impl AccessTokens for Panicking {
    fn issue(&self, _grant: &Grant, _issued_at: Timestamp) -> Result<String, BoxError> {
        Ok("token".to_owned())
    }

    fn verify(&self, _token: &str, _now: Timestamp) -> Result<Grant, TokenError> {
        panic!("requested by a test");
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_keeps_running() {
    let app = TestServer::with(|parts| {
        *parts.readiness = Arc::new(Panicking);
        parts.ports.tokens = Arc::new(Panicking);
    })
    .await;
    for _ in 0..3 {
        // The first panics on the main runtime, the second on the server's worker thread.
        let on_runtime = app.get("/readyz").expect_status(500).await;
        assert!(
            on_runtime.text().contains("\"internal\""),
            "{}",
            on_runtime.text()
        );
        let on_worker = app.get("/queries/photos").token("x").expect_status(500).await;
        for response in [on_runtime, on_worker] {
            assert!(!response.text().contains("panic"), "{}", response.text());
        }
    }
    app.get("/healthz").expect_status(200).await;
}

struct NeverReady;

#[async_trait::async_trait]
impl Readiness for NeverReady {
    async fn dependencies(&self) -> Vec<Dependency> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_slow_request_times_out() {
    let app = TestServer::with(|parts| {
        *parts.readiness = Arc::new(NeverReady);
        parts.config.request_timeout = Duration::from_millis(200);
    })
    .await;
    let response = app.get("/readyz").expect_status(503).await;
    assert!(response.text().contains("request_timeout"), "{}", response.text());
}

/// Signals each hash that is requested, and waits for a permit.
struct GatedHasher {
    permits: Semaphore,
    requested: Notify,
}

#[async_trait::async_trait]
impl PasswordHasher for GatedHasher {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        self.requested.notify_one();
        self.permits.acquire().await?.forget();
        Ok(PasswordHash(format!("$plain${password}")))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        Ok(hash.is_some_and(|hash| hash.0 == format!("$plain${password}")))
    }

    fn is_outdated(&self, _: &PasswordHash) -> bool {
        false
    }
}

async fn gated_server() -> (TestServer, Arc<GatedHasher>) {
    let gate = Arc::new(GatedHasher {
        permits: Semaphore::new(0),
        requested: Notify::new(),
    });
    let hasher = Arc::clone(&gate);
    (
        TestServer::with(|parts| parts.ports.passwords = hasher).await,
        gate,
    )
}

#[tokio::test]
async fn a_disconnecting_client_cancels_no_use_case() {
    let (app, gate) = gated_server().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let register = app.post("/commands/auth/register").json(&account).send();
    tokio::select! {
        _ = register => panic!("the registration did not wait for the hash"),
        () = gate.requested.notified() => {}
    }
    gate.permits.add_permits(1);
    let logged_in = async {
        while app
            .post("/commands/auth/login")
            .json(&account)
            .send()
            .await
            .status
            != 200
        {
            app.clock.advance(Duration::from_mins(2));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, logged_in)
        .await
        .expect("the account was not created");
}

#[tokio::test]
async fn use_cases_beyond_the_bound_are_refused_also_after_time_outs() {
    let gate = Arc::new(GatedHasher {
        permits: Semaphore::new(0),
        requested: Notify::new(),
    });
    let hasher = Arc::clone(&gate);
    let app = TestServer::with(|parts| {
        parts.ports.passwords = hasher;
        parts.config.max_in_flight = 1;
        parts.config.request_timeout = Duration::from_secs(2);
    })
    .await;
    let account =
        |name: &str| json!({ "email": format!("{name}@example.org"), "password": "correct horse battery" });
    let register = |name: &str| app.post("/commands/auth/register").json(&account(name));

    let timed_out = register("ada").expect_status(503).await;
    assert!(
        timed_out.text().contains("request_timeout"),
        "{}",
        timed_out.text()
    );
    // Its use case runs on.
    let refused = register("bob").expect_status(503).await;
    assert!(refused.text().contains("overloaded"), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "1");
    for path in ["/healthz", "/readyz", "/metrics"] {
        app.get(path).expect_status(200).await;
    }
    // Clients without an access token take no place from users.
    let token = app.token(
        UserId::from_bits(1),
        &[Scope::PhotosRead],
        Duration::from_hours(1),
    );
    app.get("/queries/photos").token(&token).expect_status(200).await;
    gate.permits.add_permits(2);
    let admitted = async {
        while register("bob").send().await.status != 201 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, admitted)
        .await
        .expect("the use case ended");
}

#[tokio::test]
async fn a_request_in_progress_completes_during_shutdown() {
    let (app, gate) = gated_server().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let stopping = async {
        gate.requested.notified().await;
        app.start_shutdown();
        tokio::time::sleep(Duration::from_millis(200)).await;
        gate.permits.add_permits(1);
    };
    let register = app
        .post("/commands/auth/register")
        .json(&account)
        .expect_status(201);
    tokio::join!(register, stopping);
    assert!(app.stop().await < MAX_SHUTDOWN);
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_shutdown() {
    let app = TestServer::start().await;
    app.get("/healthz").expect_status(200).await;
    assert!(app.stop().await < MAX_SHUTDOWN);
}

#[tokio::test]
async fn request_ids_are_in_responses_problems_and_events() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let named = app
        .get("/nowhere")
        .header("x-request-id", "my-request.1")
        .expect_status(404)
        .await;
    assert_eq!(named.header("x-request-id"), "my-request.1");
    let generated = app
        .get("/nowhere")
        .header("x-request-id", "not valid")
        .expect_status(404)
        .await;
    assert_eq!(generated.header("x-request-id").len(), 32);

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let create = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [file(0)] }));
    let job = create
        .header("x-request-id", "creation")
        .header("traceparent", trace)
        .expect_status(201)
        .await
        .json();
    let photo = text(&job["items"][0]["photoId"]);
    let history = app
        .get(&format!("/queries/photos/{photo}/history"))
        .token(&token)
        .expect_status(200)
        .await
        .json();
    let first = &history["events"][0];
    assert_eq!(first["requestId"], "creation");
    assert!(text(&first["actor"]).starts_with("usr_"));
    let log = app
        .store
        .events_after(Cursor::START, &EventFilter::default(), 100)
        .await
        .unwrap();
    let of_creation = log
        .events
        .iter()
        .filter(|stored| stored.metadata.request_id.as_deref() == Some("creation"));
    for stored in of_creation {
        assert_eq!(stored.metadata.traceparent.as_deref(), Some(trace));
        assert_eq!(stored.metadata.correlation_id.as_deref(), Some("creation"));
    }
}

#[tokio::test]
async fn forwarded_addresses_are_used_only_from_trusted_proxies() {
    // Failed logins are counted by address: a client that could forge its address could guess without limit.
    for (trusted, expected) in [
        (None, 429),
        (Some("192.0.2.0/24"), 429),
        (Some("127.0.0.0/8"), 401),
    ] {
        let app = TestServer::with(|parts| {
            parts.config.trusted_proxies = trusted
                .map(|network| network.parse().unwrap())
                .into_iter()
                .collect();
        })
        .await;
        app.user("ada").await;
        let mut last = 0;
        for number in 0..6 {
            let credentials = json!({ "email": "ada@example.org", "password": "wrong horse battery" });
            let log_in = app.post("/commands/auth/login").json(&credentials);
            let forwarded = format!("6.6.6.6, 203.0.113.{number}");
            last = log_in.header("x-forwarded-for", &forwarded).send().await.status;
        }
        assert_eq!(last, expected, "trusted: {trusted:?}");
    }
}

#[tokio::test]
async fn dropping_the_future_stops_the_server() {
    let mut app = TestServer::start().await;
    app.get("/healthz").expect_status(200).await;
    app.drop_server().await;
    let closed = async {
        while tokio::net::TcpStream::connect(app.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, closed)
        .await
        .expect("the port is still open");
}
