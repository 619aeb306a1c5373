use std::time::Duration;

use insta::assert_json_snapshot;
use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use serde_json::{Value, json};

use crate::{
    normalize::normalized,
    server::{MAX_SHUTDOWN, TestServer, text},
};

/// Client of an event stream.
pub(crate) struct Events {
    response: reqwest::Response,
    unread: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        Self {
            response,
            unread: String::new(),
        }
    }

    /// Next event, or `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(TEST_TIMEOUT, self.read())
            .await
            .expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            let block = self.read_block().await?;
            if block.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let Some(name) = field("event: ") {
                return Some(Event {
                    name,
                    id: field("id: "),
                    data: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
                });
            }
            assert_eq!(block, "retry: 2000");
        }
    }

    /// Text before the next empty line: an event, a comment or a setting.
    async fn read_block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(block);
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub(crate) async fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("one more event"));
        }
        events
    }

    /// Events until none has arrived for 400 ms.
    pub(crate) async fn drain(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(400), self.read()).await {
            events.push(event);
        }
        events
    }
}

fn normalized_events(events: &[Event]) -> Value {
    let events = events
        .iter()
        .map(|event| json!({ "event": event.name, "hasId": event.id.is_some(), "data": event.data }));
    normalized(events.collect())
}

pub(crate) fn job_stream(job: &Value) -> String {
    format!("/queries/upload-jobs/{}/events", text(&job["jobId"]))
}

#[tokio::test]
async fn a_stream_reports_a_job_from_creation_to_completion() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let response = app
        .get(&job_stream(&job))
        .token(&token)
        .header("accept-encoding", "gzip")
        .open()
        .await;
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    assert_eq!(header("cache-control").as_deref(), Some("no-store, no-transform"));
    assert_eq!(header("content-encoding"), None);
    let mut stream = Events::new(response);
    let mut seen = stream.take(1).await;
    assert_eq!(seen[0].id.as_deref(), seen[0].data["cursor"].as_str());
    let tick = json!({ "photoId": job["items"][0]["photoId"], "bytesSent": 5, "bytesTotal": 20 });
    app.post("/commands/upload/progress")
        .token(&token)
        .json(&tick)
        .expect_status(202)
        .await;
    // A progress report and the state change it causes come from two sources, in either order.
    let mut started = stream.take(2).await;
    started.sort_by_key(|event| event.id.is_none());
    seen.extend(started);
    app.put(&job["items"][0]);
    app.work().await;
    seen.extend(stream.take(5).await);
    assert_eq!(stream.next().await, None, "the stream ends with its job");
    assert_json_snapshot!("job_stream", normalized_events(&seen));
}

#[tokio::test]
async fn a_resumed_stream_has_no_gaps_or_repetitions() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 3).await;
    let path = format!("{}?follow=true", job_stream(&job));
    let open = async |last: Option<&str>, by_header: bool| {
        let request = match last {
            Some(last) if by_header => app.get(&path).header("last-event-id", last),
            Some(last) => app.get(&format!("{path}&lastEventId={last}")),
            None => app.get(&path),
        };
        Events::new(request.token(&token).open().await)
    };
    let mut stream = open(None, true).await;
    let mut all = stream.take(1).await;
    for item in job["items"].as_array().unwrap() {
        app.put(item);
    }
    app.work().await;
    all.extend(stream.take(10).await);
    assert_eq!(stream.drain().await, []);
    for index in 0..all.len() {
        for by_header in [true, false] {
            let mut resumed = open(all[index].id.as_deref(), by_header).await;
            assert_eq!(
                resumed.take(all.len() - index - 1).await,
                all[index + 1..],
                "after {index}"
            );
        }
    }
    let mut at_the_end = open(all.last().unwrap().id.as_deref(), true).await;
    assert_eq!(at_the_end.drain().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_keeps_reconnecting_misses_nothing() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 20).await;
    let watching = async {
        let mut last: Option<String> = None;
        let mut seen = Vec::new();
        loop {
            let mut request = app
                .get(&format!("{}?follow=true", job_stream(&job)))
                .token(&token);
            if let Some(last) = &last {
                request = request.header("last-event-id", last);
            }
            let mut stream = Events::new(request.open().await);
            for _ in 0..3 {
                let event = stream.next().await.expect("one more event");
                last.clone_from(&event.id);
                let ended = event.name == "job" && event.data["status"] == "COMPLETED";
                seen.push(event);
                if ended {
                    return seen;
                }
            }
        }
    };
    let uploading = async {
        for item in job["items"].as_array().unwrap() {
            app.put(item);
            app.work().await;
        }
    };
    let (seen, ()) = tokio::join!(watching, uploading);
    // Each of the snapshot, the changes of each photo after it and the job's completion occurs once.
    let versions: Vec<_> = seen.iter().filter_map(|event| event.id.clone()).collect();
    let mut unique = versions.clone();
    unique.dedup();
    assert_eq!(versions, unique);
    for item in job["items"].as_array().unwrap() {
        let of_photo = |event: &&Event| event.name == "photo" && event.data["photoId"] == item["photoId"];
        let versions: Vec<u64> = seen
            .iter()
            .filter(of_photo)
            .map(|e| e.data["version"].as_u64().unwrap())
            .collect();
        let in_snapshot = seen[0].data["photos"].as_array().unwrap().iter();
        let first = in_snapshot
            .clone()
            .find(|photo| photo["photoId"] == item["photoId"])
            .unwrap();
        let expected: Vec<u64> = (first["version"].as_u64().unwrap() + 1..=4).collect();
        assert_eq!(versions, expected);
    }
}

#[tokio::test]
async fn unknown_event_ids_reset_the_stream() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    for unknown in ["nonsense", "0-ffffff", "-", "9-1", "0-1-2", "%FF"] {
        let path = format!("{}?lastEventId={unknown}", job_stream(&job));
        let mut stream = Events::new(app.get(&path).token(&token).open().await);
        let events = stream.take(2).await;
        assert_eq!(
            (events[0].name.as_str(), &events[0].id),
            ("reset", &None),
            "{unknown}"
        );
        assert_eq!(events[1].name, "snapshot");
        assert_eq!(events[1].data["jobId"], job["jobId"]);
    }
    app.get(&format!("{}?lastEvent=x", job_stream(&job)))
        .token(&token)
        .expect_problem(422, "unsupported_parameter")
        .await;
}

#[tokio::test]
async fn a_user_stream_has_the_events_of_this_user_only() {
    let app = TestServer::start().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut stream = Events::new(app.get("/queries/events").token(&ada).open().await);
    let mut seen = stream.take(1).await;
    app.completed_job(&eve, 1).await;
    let job = app.job(&ada, 1).await;
    seen.extend(stream.take(2).await);
    let photo = format!("/commands/photos/{}", text(&job["items"][0]["photoId"]));
    app.delete(&photo).token(&ada).expect_status(200).await;
    seen.extend(stream.take(2).await);
    app.delete(&photo).token(&ada).expect_status(200).await;
    seen.extend(stream.take(1).await);
    assert_json_snapshot!("user_stream", normalized_events(&seen));
    let resumed = app
        .get("/queries/events")
        .token(&ada)
        .header("last-event-id", seen[0].id.as_ref().unwrap());
    let mut resumed = Events::new(resumed.open().await);
    assert_eq!(resumed.take(5).await, seen[1..]);
}

#[tokio::test]
async fn an_idle_stream_sends_heartbeats() {
    let app = TestServer::with(|parts| parts.config.heartbeat = Duration::from_millis(50)).await;
    let token = app.user("ada").await;
    let mut stream = Events::new(app.get("/queries/events").token(&token).open().await);
    stream.take(1).await;
    for _ in 0..3 {
        let heartbeat = tokio::time::timeout(TEST_TIMEOUT, stream.read_block()).await;
        let heartbeat = heartbeat.expect("a heartbeat in time").expect("an open stream");
        assert!(heartbeat.starts_with(':'), "{heartbeat}");
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = Events::new(app.get("/queries/events").token(&token).open().await);
        stream.take(1).await;
        streams.push(stream);
    }
    assert!(app.stop().await < MAX_SHUTDOWN);
    for mut stream in streams {
        assert_eq!(stream.next().await, None);
    }
}

#[tokio::test]
async fn streams_outlive_the_request_timeout() {
    // Sufficient for the other requests on a busy machine.
    const LIMIT: Duration = Duration::from_secs(3);
    let app = TestServer::with(|parts| parts.config.request_timeout = LIMIT).await;
    let token = app.user("ada").await;
    let mut stream = Events::new(app.get("/queries/events").token(&token).open().await);
    stream.take(1).await;
    tokio::time::sleep(LIMIT + Duration::from_millis(500)).await;
    app.job(&token, 1).await;
    assert_eq!(stream.take(2).await.len(), 2);
}
