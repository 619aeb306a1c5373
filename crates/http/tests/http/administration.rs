//! Endpoints for administrators.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{Clock as _, Scope, Subscriptions as _};
use rapidphoto_domain::UserId;
use rapidphoto_memory::{MemoryDeadLetters, Operation};
use serde_json::json;

use crate::server::TestServer;

/// A server with these dead letters, and an access token of an administrator.
async fn server(dead_letters: &Arc<MemoryDeadLetters>) -> (TestServer, String) {
    let app = TestServer::with(|parts| parts.ports.dead_letters = Arc::clone(dead_letters) as _).await;
    let token = app.token(UserId::from_bits(7), &[Scope::Admin], Duration::from_hours(1));
    (app, token)
}

#[tokio::test]
async fn dead_letters_are_listed_and_redriven() {
    let queue = Arc::new(MemoryDeadLetters::default());
    let (app, admin) = server(&queue).await;
    for (reason, body) in [("not JSON", &b"\xff{"[..]), ("no key", b"{}"), ("no key", b"[]")] {
        queue.add(reason, bytes::Bytes::from_static(body), app.clock.now());
    }
    let list = |path: &'static str| app.get(path).token(&admin).expect_status(200);
    let listed = list("/admin/dead-letters").await.json();
    let first_at = app
        .clock
        .now()
        .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    assert_eq!(
        listed["items"][0],
        json!({ "id": "1", "reason": "not JSON", "firstAt": first_at, "preview": "\u{fffd}{", "bytes": 2 })
    );
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    let limited = list("/admin/dead-letters?size=2").await.json();
    assert_eq!(limited["items"].as_array().unwrap().len(), 2);

    let redrive = |path: &'static str| app.post(path).token(&admin);
    let one = redrive("/admin/dead-letters/2/redrive")
        .expect_status(200)
        .await
        .json();
    assert_eq!(one, json!({ "redriven": 1 }));
    redrive("/admin/dead-letters/2/redrive")
        .expect_problem(404, "no_such_dead_letter")
        .await;
    let all = redrive("/admin/dead-letters/redrive")
        .expect_status(200)
        .await
        .json();
    assert_eq!(all, json!({ "redriven": 2 }));
    assert_eq!(queue.redriven(), [&b"{}"[..], b"\xff{", b"[]"]);
    let listed = list("/admin/dead-letters").await.json();
    assert_eq!(listed, json!({ "items": [] }));
}

#[tokio::test]
async fn sizes_of_lists_are_limited() {
    let (app, admin) = server(&Arc::default()).await;
    for size in ["0", "201", "x"] {
        app.get(&format!("/admin/dead-letters?size={size}"))
            .token(&admin)
            .expect_problem(422, "invalid_parameter")
            .await;
    }
}

#[tokio::test]
async fn an_unreachable_broker_is_a_problem() {
    let queue = Arc::new(MemoryDeadLetters::default());
    let (app, admin) = server(&queue).await;
    for (method, path) in [
        ("GET", "/admin/dead-letters"),
        ("POST", "/admin/dead-letters/1/redrive"),
        ("POST", "/admin/dead-letters/redrive"),
    ] {
        queue.faults().fail_next(Operation::Broker, 1);
        app.request(method.parse().unwrap(), path)
            .token(&admin)
            .expect_problem(503, "unavailable")
            .await;
    }
}

#[tokio::test]
async fn subscriptions_show_their_position_lease_and_lag() {
    let (app, admin) = server(&Arc::default()).await;
    let list = || app.get("/admin/subscriptions").token(&admin).expect_status(200);
    app.store.acquire("test", Duration::from_mins(1)).await.unwrap();
    let entry = |listed: serde_json::Value| {
        let items = listed["items"].as_array().unwrap().clone();
        items.into_iter().find(|item| item["name"] == "test").unwrap()
    };
    let new = entry(list().await.json());
    assert_eq!(new["position"], "0-0");
    assert_eq!(new["lag"], 0);
    assert!(new["leasedUntil"].is_string() && new["behindSince"].is_null() && new["parked"].is_null());

    let user = app.user("ada").await;
    app.job(&user, 3).await;
    app.clock.advance(Duration::from_mins(1));
    let behind = entry(list().await.json());
    assert!(behind["lag"].as_u64().unwrap() >= 4, "{behind}");
    assert!(
        behind["behindSince"].is_string() && behind["leasedUntil"].is_null(),
        "{behind}"
    );
}
