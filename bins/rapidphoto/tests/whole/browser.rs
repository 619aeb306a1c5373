//! A page on another origin, in a real browser: it uploads with a URL from the API and watches the stream.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_sample_photos::{Orientation, SamplePhoto};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc,
};

use crate::bench::Bench;

const PAGE: &str = include_str!("browser.html");

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_another_origin_uploads_and_watches() {
    let bench = Bench::new();
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", origin.local_addr().unwrap());
    // Only this origin is allowed: the browser refuses everything else by itself.
    let options = Bench::options().with("RAPIDPHOTO_SERVER__ALLOWED_ORIGINS", format!("[\"{address}\"]"));
    let server = bench.serve(&options).await;
    let photo = Bytes::from(SamplePhoto::new(5, 1200, 900).turned(Orientation::ALL[7]).jpeg());

    let profile = tempfile::tempdir().unwrap();
    let _browser = Command::new(browser())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg("--disable-dev-shm-usage")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("{address}/"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let plan = json!({ "api": server.api(), "photo": "/photo.jpg" }).to_string();
    let told = tokio::time::timeout(Duration::from_secs(90), serve_page(&origin, plan, photo));
    let result = told.await.expect("the page tells nothing");

    assert_eq!(result["error"], Value::Null, "{result:#}\n{}", server.log());
    assert_eq!(result["put"], 200);
    assert!(result["eTag"].is_string(), "the ETag is exposed: {result:#}");
    assert_eq!(result["status"], "COMPLETED");
    assert_eq!(result["thumbnail"], json!([256, 192]), "upright");
    assert!(
        result["streamed"].as_str().unwrap().contains("event: snapshot"),
        "{result:#}"
    );
    let seen = result["seen"].as_array().unwrap();
    assert_eq!(seen[0][0], "snapshot", "{result:#}");
    let states: Vec<_> = seen
        .iter()
        .filter(|event| event[0] == "photo")
        .filter_map(|event| event[1].as_str())
        .collect();
    assert_eq!(states, ["VERIFYING", "PROCESSING", "COMPLETED"]);
}

/// A browser of Chromium's family, under one of the names that distributions give it.
fn browser() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    std::env::split_paths(&path)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|candidate| candidate.is_file())
        .expect("a Chromium is needed; scripts/test installs it")
}

/// Serves the page, its plan and its photo until it tells its result.
async fn serve_page(origin: &TcpListener, plan: String, photo: Bytes) -> Value {
    let page = Arc::new(Page { plan, photo });
    let (tell, mut told) = mpsc::channel(1);
    loop {
        tokio::select! {
            result = told.recv() => return result.unwrap(),
            connection = origin.accept() => {
                // Browsers open connections that they may never use: none waits for another.
                let (page, tell) = (Arc::clone(&page), tell.clone());
                let (stream, _) = connection.unwrap();
                tokio::spawn(async move { page.answer(stream, tell).await });
            }
        }
    }
}

/// What the browser is given.
struct Page {
    plan: String,
    photo: Bytes,
}

impl Page {
    async fn answer(&self, mut stream: TcpStream, tell: mpsc::Sender<Value>) {
        let Some((head, body)) = read_request(&mut stream).await else {
            return;
        };
        let (kind, answer): (&str, &[u8]) = match head.split(' ').nth(1).unwrap_or_default() {
            "/" => ("text/html", PAGE.as_bytes()),
            "/plan" => ("application/json", self.plan.as_bytes()),
            "/photo.jpg" => ("image/jpeg", &self.photo),
            "/result" => {
                tell.send(serde_json::from_slice(&body).unwrap()).await.unwrap();
                return;
            }
            _ => ("text/plain", b""),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        // A browser that goes away asks again if it wants to.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(answer).await;
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut received = Vec::new();
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(str::to_owned)
                })
                .and_then(|length| length.trim().parse().ok())
                .unwrap_or(0);
            while received.len() < end + 4 + length {
                if stream.read_buf(&mut received).await.ok()? == 0 {
                    return None;
                }
            }
            return Some((head, received[end + 4..end + 4 + length].to_vec()));
        }
        if stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    }
}
