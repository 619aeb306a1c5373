//! Ends of streams: with their job, with their session, and at the limit of streams; and the cursors to resume them.

use std::collections::BTreeSet;

use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use serde_json::json;

use crate::{
    server::{TestServer, text},
    streams::{Events, job_stream},
};

#[tokio::test]
async fn the_stream_of_a_terminal_job_ends_unless_it_follows() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.completed_job(&token, 2).await;
    let path = job_stream(&job);
    let mut first = Events::new(app.get(&path).token(&token).open().await);
    while first.next().await.is_some() {}
    let mut stream = Events::new(app.get(&path).token(&token).open().await);
    let events = stream.take(2).await;
    assert_eq!(events[0].name, "snapshot");
    assert_eq!((events[1].name.as_str(), &events[1].id), ("end", &None));
    assert_eq!(events[1].data, json!({ "reason": "job_ended" }));
    assert_eq!(stream.next().await, None);
    let follow = |value: &str| app.get(&format!("{path}?follow={value}")).token(&token);
    let mut following = Events::new(follow("true").open().await);
    assert_eq!(following.take(1).await[0].name, "snapshot");
    assert_eq!(following.drain().await, []);
    let photo = format!("/commands/photos/{}", text(&job["items"][0]["photoId"]));
    app.delete(&photo).token(&token).expect_status(200).await;
    assert_eq!(following.take(1).await[0].data["deleted"], true);
    follow("yes").expect_problem(422, "invalid_parameter").await;
}

#[tokio::test]
async fn an_open_stream_ends_with_its_session() {
    let app = TestServer::start().await;
    let other = app.user("ada").await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let login = app
        .post("/commands/auth/login")
        .json(&account)
        .expect_status(200)
        .await
        .json();
    let token = text(&login["accessToken"]);
    let ticket = app
        .post("/commands/auth/stream-ticket")
        .token(&token)
        .json(&json!({}));
    let ticket = text(&ticket.expect_status(200).await.json()["ticket"]);
    let by_token = Events::new(app.get("/queries/events").token(&token).open().await);
    let by_ticket = Events::new(app.get(&format!("/queries/events?ticket={ticket}")).open().await);
    let mut of_other_session = Events::new(app.get("/queries/events").token(&other).open().await);
    of_other_session.take(1).await;
    let log_out = json!({ "refreshToken": login["refreshToken"] });
    app.post("/commands/auth/logout")
        .json(&log_out)
        .expect_status(204)
        .await;
    for mut stream in [by_token, by_ticket] {
        let events = stream.take(2).await;
        assert_eq!(events[0].name, "snapshot");
        assert_eq!(
            (events[1].name.as_str(), &events[1].data["reason"]),
            ("end", &json!("session_ended"))
        );
        assert_eq!(stream.next().await, None);
    }
    app.job(&other, 1).await;
    of_other_session.take(2).await;
    app.get(&format!("/queries/events?ticket={ticket}"))
        .expect_problem(401, "invalid_ticket")
        .await;
}

#[tokio::test]
async fn a_user_has_a_limited_number_of_open_streams() {
    let app = TestServer::with(|parts| parts.config.streams = 2.try_into().unwrap()).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let job = app.job(&ada, 1).await;
    let first = Events::new(app.get("/queries/events").token(&ada).open().await);
    let _second = Events::new(app.get(&job_stream(&job)).token(&ada).open().await);
    for path in ["/queries/events", &job_stream(&job)] {
        let refused = app
            .get(path)
            .token(&ada)
            .expect_problem(429, "too_many_streams")
            .await;
        assert_eq!((&refused["used"], &refused["allowed"]), (&json!(2), &json!(2)));
    }
    Events::new(app.get("/queries/events").token(&bob).open().await)
        .take(1)
        .await;
    drop(first);
    let freed = async {
        while app.get("/queries/events").token(&ada).open().await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, freed)
        .await
        .expect("a closed stream frees its place");
}

#[tokio::test]
async fn event_ids_tell_nothing_about_other_events() {
    let app = TestServer::start().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut stream = Events::new(app.get("/queries/events").token(&ada).open().await);
    app.job(&ada, 9).await;
    let events = stream.take(11).await;
    let ids: Vec<_> = events.iter().map(|event| event.id.clone().unwrap()).collect();
    let starts: BTreeSet<_> = ids.iter().map(|id| &id[..4]).collect();
    assert!(starts.len() > 8, "neighbours have nothing in common: {ids:?}");
    assert!(!ids.is_sorted());
    // An id is valid for its user only.
    for (token, first) in [(&eve, "reset"), (&ada, "photo")] {
        let request = app
            .get("/queries/events")
            .token(token)
            .header("last-event-id", &ids[5]);
        assert_eq!(Events::new(request.open().await).take(1).await[0].name, first);
    }
}
