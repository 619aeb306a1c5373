use std::time::Duration;

use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    server::{MAX_SHUTDOWN, TestServer, text},
    socket::{BINARY, CLOSE, FIN, PING, PONG, Socket, TEXT},
};

fn of_job(job: &Value) -> String {
    format!("/queries/ws?jobId={}", text(&job["jobId"]))
}

#[tokio::test]
async fn a_websocket_has_the_events_of_the_users_stream() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let mut socket = Socket::open(&app, "/queries/ws", &token).await;
    let start = socket.event().await;
    assert_eq!(start["event"], "snapshot");
    assert_eq!(start["id"], start["data"]["cursor"]);
    let job = app.completed_job(&token, 1).await;
    let events = socket.events(6).await;
    let statuses: Vec<(&Value, &Value)> = events
        .iter()
        .map(|event| (&event["event"], &event["data"]["status"]))
        .collect();
    let expected = [
        ("job", "QUEUED"),
        ("photo", "QUEUED"),
        ("photo", "VERIFYING"),
        ("photo", "PROCESSING"),
        ("photo", "COMPLETED"),
        ("job", "COMPLETED"),
    ];
    let expected = expected.map(|(event, status)| (json!(event), json!(status)));
    assert!(
        statuses
            .into_iter()
            .eq(expected.iter().map(|(event, status)| (event, status))),
        "{events:#?}"
    );
    assert!(
        events
            .iter()
            .all(|event| event["data"]["jobId"] == job["jobId"] && event["id"].is_string())
    );
    // A tick has no id.
    let other = app.job(&token, 1).await;
    socket.events(2).await;
    let tick = json!({ "photoId": other["items"][0]["photoId"], "bytesSent": 3, "bytesTotal": 20 });
    app.post("/commands/upload/progress")
        .token(&token)
        .json(&tick)
        .expect_status(202)
        .await;
    let mut events = socket.events(2).await;
    events.retain(|event| event.get("id").is_none());
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["data"]["progress"]["bytesSent"], 3);
}

#[tokio::test]
async fn a_websocket_resumes_without_a_gap() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 2).await;
    let mut socket = Socket::open(&app, &of_job(&job), &token).await;
    let snapshot = socket.event().await;
    assert_eq!(snapshot["data"]["totalCount"], 2);
    drop(socket);
    for item in job["items"].as_array().unwrap() {
        app.put(item);
    }
    app.work().await;
    let path = |last: &Value| format!("{}&follow=true&lastEventId={}", of_job(&job), text(last));
    let mut socket = Socket::open(&app, &path(&snapshot["id"]), &token).await;
    // Three of each photo and one of the job.
    let missed = socket.events(7).await;
    assert_eq!(missed[6]["data"]["status"], "COMPLETED");
    for (resumed, rest) in [(2, &missed[3..]), (5, &missed[6..])] {
        let mut socket = Socket::open(&app, &path(&missed[resumed]["id"]), &token).await;
        assert_eq!(socket.events(rest.len()).await, rest);
    }
    let mut socket = Socket::open(&app, &path(&json!("unknown")), &token).await;
    let events = socket.events(2).await;
    assert_eq!(
        (&events[0]["event"], &events[1]["event"]),
        (&json!("reset"), &json!("snapshot"))
    );
    // Without `follow`, the stream of a terminal job is its snapshot, whatever the client has missed.
    let path = format!("{}&lastEventId={}", of_job(&job), text(&missed[2]["id"]));
    let mut socket = Socket::open(&app, &path, &token).await;
    let events = socket.events(2).await;
    assert_eq!(events[0]["data"]["status"], "COMPLETED");
    assert_eq!(
        (&events[1]["event"], &events[1]["data"]),
        (&json!("end"), &json!({ "reason": "job_ended" }))
    );
    assert_eq!(socket.close_code().await, 1000);
}

#[tokio::test]
async fn requests_that_open_no_websocket_are_refused() {
    let app = TestServer::with(|parts| {
        parts.config.allowed_origins = vec!["https://photos.example.org".to_owned()];
        parts.config.streams = 2.try_into().unwrap();
    })
    .await;
    let token = app.user("ada").await;
    app.get("/queries/ws")
        .token(&token)
        .expect_problem(400, "bad_request")
        .await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let unknown = "/queries/ws?jobId=job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";
    for (path, headers, status, code) in [
        ("/queries/ws", "", 401, "authentication_required"),
        ("/queries/ws?ticket=tkt_unknown", "", 401, "invalid_ticket"),
        ("/queries/ws?jobId=x", &*bearer, 422, "invalid_parameter"),
        ("/queries/ws?size=1", &bearer, 422, "unsupported_parameter"),
        (unknown, &bearer, 404, "no_such_job"),
        (
            "/queries/ws",
            &format!("{bearer}Origin: https://evil.example\r\n"),
            403,
            "origin_not_allowed",
        ),
        (
            "/queries/ws",
            &format!("{bearer}Origin: null\r\n"),
            403,
            "origin_not_allowed",
        ),
    ] {
        let (mut socket, head) = Socket::request(&app, path, headers).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
        while !String::from_utf8_lossy(&socket.unread).contains(code) {
            assert!(socket.fill().await, "{path} has the problem {code}");
        }
    }
    let own = format!("{bearer}Origin: http://{}\r\n", app.address);
    let allowed = format!("{bearer}Origin: https://photos.example.org\r\n");
    let mut open = Vec::new();
    for headers in [own, allowed] {
        let (socket, head) = Socket::request(&app, "/queries/ws", &headers).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        open.push(socket);
    }
    // The places are those of server-sent events.
    app.get("/queries/events")
        .token(&token)
        .expect_problem(429, "too_many_streams")
        .await;
    let (_, head) = Socket::request(&app, "/queries/ws", &bearer).await;
    assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
    drop(open);
    let freed = async {
        while app.get("/queries/events").token(&token).open().await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TEST_TIMEOUT, freed)
        .await
        .expect("a closed connection frees its place");
}

#[tokio::test]
async fn a_ticket_opens_a_websocket_until_its_session_ends() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let login = app
        .post("/commands/auth/login")
        .json(&account)
        .expect_status(200)
        .await
        .json();
    let job = app.job(&token, 1).await;
    let mut sockets = Vec::new();
    for (body, path) in [
        (json!({}), "/queries/ws?".to_owned()),
        (json!({ "jobId": job["jobId"] }), format!("{}&", of_job(&job))),
    ] {
        let ticket = app
            .post("/commands/auth/stream-ticket")
            .token(&text(&login["accessToken"]))
            .json(&body);
        let ticket = text(&ticket.expect_status(200).await.json()["ticket"]);
        let (mut socket, head) = Socket::request(&app, &format!("{path}ticket={ticket}"), "").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert_eq!(socket.event().await["event"], "snapshot");
        sockets.push(socket);
        // For another stream the ticket is invalid.
        let other = if body == json!({}) {
            of_job(&job) + "&"
        } else {
            "/queries/ws?".to_owned()
        };
        let (_, head) = Socket::request(&app, &format!("{other}ticket={ticket}"), "").await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    }
    let mut of_other_session = Socket::open(&app, "/queries/ws", &token).await;
    of_other_session.event().await;
    let log_out = json!({ "refreshToken": login["refreshToken"] });
    app.post("/commands/auth/logout")
        .json(&log_out)
        .expect_status(204)
        .await;
    for mut socket in sockets {
        assert_eq!(socket.event().await["data"]["reason"], "session_ended");
        assert_eq!(socket.close_code().await, 1008);
    }
    app.job(&token, 1).await;
    of_other_session.events(2).await;
}

#[tokio::test]
async fn hostile_frames_close_the_websocket() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    // One byte more than a frame may have.
    let large = vec![b'x'; 1025];
    for (first, payload, code) in [
        (FIN | TEXT, &b"hello"[..], 1003),
        (FIN | TEXT, b"\xff\xfe", 1003),
        (FIN | BINARY, b"\0\x01", 1003),
        (FIN | TEXT, &large, 1009),
        (FIN | BINARY, &large, 1009),
        // The first of several fragments, and one without a first.
        (TEXT, b"fragment", 1003),
        (0, b"fragment", 1002),
        // Reserved opcodes.
        (FIN | 0x3, b"", 1002),
        (FIN | 0xB, b"", 1002),
    ] {
        let mut socket = Socket::open(&app, "/queries/ws", &token).await;
        socket.event().await;
        socket.send(first, payload).await;
        assert_eq!(
            socket.close_code().await,
            code,
            "{first:#x} {:?}",
            payload.first()
        );
    }
    // The server closes before it has read all of a frame: the reset may overtake the close frame.
    let mut socket = Socket::open(&app, "/queries/ws", &token).await;
    socket.event().await;
    socket.send(FIN | BINARY, &vec![b'x'; 2_000_000]).await;
    while socket.fill().await {}
    // A frame without a mask.
    let mut socket = Socket::open(&app, "/queries/ws", &token).await;
    socket.stream.write_all(&[FIN | TEXT, 1, b'x']).await.unwrap();
    assert_eq!(socket.close_code().await, 1002);
    // No frame at all, and none that is complete.
    for bytes in [&b""[..], &[FIN | TEXT, 0x80 | 0x64, 1, 2]] {
        let mut socket = Socket::open(&app, "/queries/ws", &token).await;
        socket.stream.write_all(bytes).await.unwrap();
        socket.stream.shutdown().await.unwrap();
        while socket.fill().await {}
    }
    // Pings are answered, and a close frame with its code.
    let mut socket = Socket::open(&app, "/queries/ws", &token).await;
    socket.event().await;
    for payload in [&b""[..], b"are you there?"] {
        socket.send(FIN | PING, payload).await;
        assert_eq!(socket.frame().await, Some((PONG, payload.to_vec())));
    }
    socket.send(FIN | CLOSE, &4000_u16.to_be_bytes()).await;
    assert_eq!(socket.close_code().await, 4000);
    app.get("/healthz").expect_status(200).await;
}

#[tokio::test]
async fn an_idle_client_is_pinged_and_must_answer() {
    let app = TestServer::with(|parts| parts.config.heartbeat = Duration::from_millis(200)).await;
    let token = app.user("ada").await;
    let mut answering = Socket::open(&app, "/queries/ws", &token).await;
    let mut silent = Socket::open(&app, "/queries/ws", &token).await;
    for _ in 0..4 {
        while answering.frame().await.unwrap().0 != PING {}
        answering.send(FIN | PONG, b"").await;
    }
    let mut pings = 0;
    while let Some((opcode, _)) = silent.frame().await {
        pings += u32::from(opcode == PING);
    }
    assert_eq!(pings, 1, "the connection ends instead of a second ping");
    app.job(&token, 1).await;
    answering.events(2).await;
}

#[tokio::test]
async fn many_websockets_get_the_same_events_and_end_with_the_server() {
    let app = TestServer::with(|parts| parts.config.streams = 200.try_into().unwrap()).await;
    let token = app.user("ada").await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        let mut socket = Socket::open(&app, "/queries/ws", &token).await;
        socket.event().await;
        sockets.push(socket);
    }
    app.completed_job(&token, 3).await;
    let expected = sockets[0].events(14).await;
    for socket in &mut sockets[1..] {
        assert_eq!(socket.events(14).await, expected);
    }
    let stopping = tokio::spawn(app.stop());
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, 1001);
    }
    assert!(stopping.await.unwrap() < MAX_SHUTDOWN);
}
