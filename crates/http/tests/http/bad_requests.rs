use std::time::Duration;

use rapidphoto_memory::fixtures::TEST_TIMEOUT;
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::server::TestServer;

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let app = TestServer::start().await;
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
        app.get(path).expect_problem(404, "no_such_route").await;
    }
    app.post("/nowhere")
        .raw("{}")
        .expect_problem(404, "no_such_route")
        .await;
}

#[tokio::test]
async fn malformed_ids_are_not_found() {
    let app = TestServer::start().await;
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
            .expect_problem(404, "no_such_photo")
            .await;
        get(format!("/queries/photos/{id}/history"))
            .expect_problem(404, "no_such_photo")
            .await;
        get(format!("/queries/photos/{id}/download-url"))
            .expect_problem(404, "no_such_photo")
            .await;
        get(format!("/queries/upload-jobs/{id}"))
            .expect_problem(404, "no_such_job")
            .await;
        get(format!("/queries/upload-jobs/{id}/events"))
            .expect_problem(404, "no_such_job")
            .await;
        let post = |path: String| app.post(&path).token(&token);
        post(format!("/commands/upload-jobs/{id}/cancel"))
            .expect_problem(404, "no_such_job")
            .await;
        post(format!("/commands/upload/{id}/finalize"))
            .expect_problem(404, "no_such_photo")
            .await;
        let delete = app.delete(&format!("/commands/photos/{id}")).token(&token);
        delete.expect_problem(404, "no_such_photo").await;
    }
}

#[tokio::test]
async fn unsupported_methods_get_the_allowed_ones() {
    let app = TestServer::start().await;
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
            let response = app.request(method.clone(), path).expect_status(405).await;
            assert_eq!(response.header("allow"), allowed, "{method} {path}");
            assert!(response.text().contains("method_not_allowed"));
        }
        let options = app.request(Method::OPTIONS, path).expect_status(204).await;
        assert_eq!(options.header("allow"), allowed);
    }
}

/// Sends raw bytes and returns the response, or its beginning if the server closes the connection.
async fn raw(app: &TestServer, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    let reading = async {
        while !is_complete(&response) {
            // The server resets the connection if it has not read the whole request.
            if !matches!(stream.read_buf(&mut response).await, Ok(1..)) {
                break;
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, reading)
        .await
        .expect("a response in time");
    String::from_utf8_lossy(&response).into_owned()
}

/// Returns true for a head and a body of the length in `Content-Length`.
fn is_complete(response: &[u8]) -> bool {
    let response = String::from_utf8_lossy(response);
    let Some((head, body)) = response.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.expect("a Content-Length").parse::<usize>().unwrap()
}

#[tokio::test]
async fn malformed_http_gets_a_4xx() {
    let app = TestServer::start().await;
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
        let response = raw(&app, request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert!(response.starts_with("HTTP/1.1 4"), "{shown:?}: {response:?}");
    }
    app.get("/healthz").expect_status(200).await;
}

#[tokio::test]
async fn an_invalid_chunked_body_is_rejected() {
    let app = TestServer::start().await;
    let request = "POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Transfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    let response = raw(&app, request.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
    assert!(response.contains("broken_body"), "{response}");
}

#[tokio::test]
async fn an_incomplete_body_times_out() {
    let app = TestServer::with(|parts| parts.config.request_timeout = Duration::from_millis(300)).await;
    let request = "POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\n\r\n{";
    let response = raw(&app, request.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
    assert!(response.contains("request_timeout"), "{response}");
    assert!(response.contains("retry-after: 1"), "{response}");
    app.get("/healthz").expect_status(200).await;
}
