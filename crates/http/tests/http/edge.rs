use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{
    AccessTokens, BoxError, Cursor, EventFilter, EventLog, Grant, PasswordHash, PasswordHasher, TokenError,
};
use rapidphoto_domain::Timestamp;
use rapidphoto_http::{Dependency, Readiness};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::app::{BEFORE_THE_DRAIN_ENDS, PATIENCE, TestApp, text};

struct Panicking;

#[async_trait::async_trait]
impl Readiness for Panicking {
    async fn dependencies(&self) -> Vec<Dependency> {
        panic!("a test wants this to panic");
    }
}

impl AccessTokens for Panicking {
    fn issue(&self, _grant: &Grant, _issued_at: Timestamp) -> Result<String, BoxError> {
        Ok("token".to_owned())
    }

    fn verify(&self, _token: &str, _now: Timestamp) -> Result<Grant, TokenError> {
        panic!("a test wants this to panic");
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_goes_on() {
    let app = TestApp::with(|parts| {
        parts.readiness = Arc::new(Panicking);
        parts.ports.tokens = Arc::new(Panicking);
    })
    .await;
    for _ in 0..3 {
        // On the main runtime, and on the server's own worker.
        let there = app.get("/readyz").sent(500).await;
        assert!(there.text().contains("\"internal\""), "{}", there.text());
        let here = app.get("/queries/photos").token("x").sent(500).await;
        for answer in [there, here] {
            assert!(!answer.text().contains("panic"), "{}", answer.text());
        }
    }
    app.get("/healthz").sent(200).await;
}

struct Endless;

#[async_trait::async_trait]
impl Readiness for Endless {
    async fn dependencies(&self) -> Vec<Dependency> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_all_the_same() {
    let app = TestApp::with(|parts| {
        parts.readiness = Arc::new(Endless);
        parts.config.request_timeout = Duration::from_millis(200);
    })
    .await;
    let answer = app.get("/readyz").sent(503).await;
    assert!(answer.text().contains("request_timeout"), "{}", answer.text());
}

/// Hashes when it is allowed to, and tells when it is asked.
struct Gated {
    allowed: Semaphore,
    asked: Notify,
}

#[async_trait::async_trait]
impl PasswordHasher for Gated {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        self.asked.notify_one();
        self.allowed.acquire().await?.forget();
        Ok(PasswordHash(format!("$plain${password}")))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        Ok(hash.is_some_and(|hash| hash.0 == format!("$plain${password}")))
    }
}

async fn gated() -> (TestApp, Arc<Gated>) {
    let gate = Arc::new(Gated {
        allowed: Semaphore::new(0),
        asked: Notify::new(),
    });
    let hasher = Arc::clone(&gate);
    (TestApp::with(|parts| parts.ports.passwords = hasher).await, gate)
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_nothing_half_done() {
    let (app, gate) = gated().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let register = app.post("/commands/auth/register").json(&account).send();
    tokio::select! {
        _ = register => panic!("registered without a hash"),
        () = gate.asked.notified() => {}
    }
    gate.allowed.add_permits(1);
    let made = async {
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
    tokio::time::timeout(PATIENCE, made)
        .await
        .expect("the account was never made");
}

#[tokio::test]
async fn a_request_under_way_is_answered_though_the_server_stops() {
    let (app, gate) = gated().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let stopping = async {
        gate.asked.notified().await;
        app.tell_to_stop();
        tokio::time::sleep(Duration::from_millis(200)).await;
        gate.allowed.add_permits(1);
    };
    let register = app.post("/commands/auth/register").json(&account).sent(201);
    tokio::join!(register, stopping);
    assert!(app.stop().await < BEFORE_THE_DRAIN_ENDS);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_server_up() {
    let app = TestApp::start().await;
    app.get("/healthz").sent(200).await;
    assert!(app.stop().await < BEFORE_THE_DRAIN_ENDS);
}

#[tokio::test]
async fn a_request_keeps_its_name_in_answers_problems_and_events() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let named = app
        .get("/nowhere")
        .header("x-request-id", "my-request/1")
        .sent(404)
        .await;
    assert_eq!(named.header("x-request-id"), "my-request/1");
    let made = app
        .get("/nowhere")
        .header("x-request-id", "not sane")
        .sent(404)
        .await;
    assert_eq!(made.header("x-request-id").len(), 32);

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let create = app
        .post("/commands/upload-jobs")
        .token(&token)
        .json(&json!({ "files": [crate::app::file(0)] }));
    let job = create
        .header("x-request-id", "creation")
        .header("traceparent", trace)
        .sent(201)
        .await
        .json();
    let photo = text(&job["items"][0]["photoId"]);
    let history = app
        .get(&format!("/queries/photos/{photo}/history"))
        .token(&token)
        .sent(200)
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
async fn a_proxys_word_counts_only_where_there_is_a_proxy() {
    // Failed logins are counted by address: whoever could choose theirs could guess on for ever.
    for (behind_proxy, expected) in [(false, 429), (true, 401)] {
        let app = TestApp::with(|parts| parts.config.behind_proxy = behind_proxy).await;
        app.user("ada").await;
        let mut last = 0;
        for number in 0..6 {
            let credentials = json!({ "email": "ada@example.org", "password": "wrong horse battery" });
            let log_in = app.post("/commands/auth/login").json(&credentials);
            let forwarded = format!("6.6.6.6, 203.0.113.{number}");
            last = log_in.header("x-forwarded-for", &forwarded).send().await.status;
        }
        assert_eq!(last, expected, "behind a proxy: {behind_proxy}");
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone() {
    let mut app = TestApp::start().await;
    app.get("/healthz").sent(200).await;
    app.drop_server().await;
    let gone = async {
        while tokio::net::TcpStream::connect(app.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("somebody still listens");
}
