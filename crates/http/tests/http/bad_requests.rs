use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::app::{PATIENCE, TestApp};

#[tokio::test]
async fn what_is_nowhere_is_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/queries",
        "/queries/photos/",
        "/queries/photos/x/y/z",
        "/commands/upload-jobs/",
        "/%00",
        "/%FF%FE",
        "/..%2f..%2fetc/passwd",
        "//queries/photos",
        "/docs/nothing-here.js",
    ] {
        app.get(path).refused(404, "no_such_route").await;
    }
    app.post("/nowhere").raw("{}").refused(404, "no_such_route").await;
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let long = "x".repeat(5000);
    for id in [
        "x",
        "ph_",
        "1",
        "%00",
        "%FF%FE",
        "ph_01kagz3t6w8q3m5v7y9b1d3f5h",
        "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H%00",
        "'%20OR%201=1",
        &long,
    ] {
        let get = |path: String| app.get(&path).token(&token);
        get(format!("/queries/photos/{id}"))
            .refused(404, "no_such_photo")
            .await;
        get(format!("/queries/photos/{id}/history"))
            .refused(404, "no_such_photo")
            .await;
        get(format!("/queries/photos/{id}/download-url"))
            .refused(404, "no_such_photo")
            .await;
        get(format!("/queries/upload-jobs/{id}"))
            .refused(404, "no_such_job")
            .await;
        get(format!("/queries/upload-jobs/{id}/events"))
            .refused(404, "no_such_job")
            .await;
        let post = |path: String| app.post(&path).token(&token);
        post(format!("/commands/upload-jobs/{id}/cancel"))
            .refused(404, "no_such_job")
            .await;
        post(format!("/commands/upload/{id}/finalize"))
            .refused(404, "no_such_photo")
            .await;
        let delete = app.delete(&format!("/commands/photos/{id}")).token(&token);
        delete.refused(404, "no_such_photo").await;
    }
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let app = TestApp::start().await;
    for (path, allowed) in [
        ("/commands/upload-jobs", "OPTIONS, POST"),
        ("/commands/photos/x", "OPTIONS, DELETE"),
        ("/queries/photos", "OPTIONS, GET, HEAD"),
        ("/queries/events", "OPTIONS, GET"),
        ("/healthz", "OPTIONS, GET, HEAD"),
        ("/openapi.json", "OPTIONS, GET, HEAD"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if allowed.contains(method) {
                continue;
            }
            let method: Method = method.parse().unwrap();
            let answer = app.ask(method.clone(), path).sent(405).await;
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            assert!(answer.text().contains("method_not_allowed"));
        }
        let options = app.ask(Method::OPTIONS, path).sent(204).await;
        assert_eq!(options.header("allow"), allowed);
    }
}

/// Sends bytes as they are and gives the answer, or what there is of it when the server hangs up.
async fn raw(app: &TestApp, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let reading = async {
        while !is_whole(&answer) {
            // A server that does not read a request to its end resets the connection.
            if !matches!(stream.read_buf(&mut answer).await, Ok(1..)) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether this is a head and as much of a body as it says.
fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.expect("a length").parse::<usize>().unwrap()
}

#[tokio::test]
async fn what_is_hardly_http_gets_a_4xx() {
    let app = TestApp::start().await;
    let long_line = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(200_000));
    let many_headers = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(5000));
    for request in [
        &b"nonsense\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\0: x\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        long_line.as_bytes(),
        many_headers.as_bytes(),
    ] {
        let answer = raw(&app, request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4"), "{shown:?}: {answer:?}");
    }
    app.get("/healthz").sent(200).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_its_own_rules_is_refused() {
    let app = TestApp::start().await;
    let request = "POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Transfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    let answer = raw(&app, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("broken_body"), "{answer}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let app = TestApp::with(|parts| parts.config.request_timeout = Duration::from_millis(300)).await;
    let request = "POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\n\r\n{";
    let answer = raw(&app, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    app.get("/healthz").sent(200).await;
}
