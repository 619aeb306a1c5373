//! All spans of a process reach the collector before the process ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::Duration,
};

use rapidphoto_telemetry::{LogFormat, Telemetry, TelemetryConfig, TelemetryError, TraceConfig};

/// Starts a collector; returns its URL and a channel of received request lines and bodies.
fn collector() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let mut stream = stream;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
            sender
                .send((head.lines().next().unwrap().to_owned(), body))
                .unwrap();
        }
    });
    (endpoint, received)
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_sends_the_last_spans() {
    let (endpoint, received) = collector();
    let config = TelemetryConfig {
        format: LogFormat::Json,
        traces: Some(TraceConfig::new(endpoint)),
        ..TelemetryConfig::new("rapidphoto-test", "1.2.3")
    };
    let telemetry = Telemetry::start(&config).unwrap();
    assert!(matches!(
        Telemetry::start(&config),
        Err(TelemetryError::Taken("logs"))
    ));

    metrics::counter!("upload_job_created_total").increment(1);
    assert!(
        telemetry
            .metrics()
            .render()
            .contains("upload_job_created_total 1")
    );

    tracing::info_span!("create_upload_job", files = 3).in_scope(|| tracing::info!("created"));
    tracing::debug_span!("too_much_detail").in_scope(|| {});
    let flushed = tokio::task::spawn_blocking(move || telemetry.shutdown(Duration::from_mins(1)));
    flushed.await.unwrap().unwrap();

    let (request, body) = received.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(request, "POST /v1/traces HTTP/1.1");
    for text in ["create_upload_job", "rapidphoto-test", "1.2.3", "files"] {
        assert!(contains(&body, text), "{text} is missing in the exported spans");
    }
    assert!(!contains(&body, "too_much_detail"));
}
