//! A page on another origin in a real browser uploads with a presigned URL and watches the event stream.

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

use crate::fixtures::DataDir;

const PAGE: &str = include_str!("browser.html");

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_another_origin_uploads_and_watches() {
    let data_dir = DataDir::new();
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", origin.local_addr().unwrap());
    // Only this origin is allowed; the browser enforces CORS.
    let options = DataDir::options().with("RAPIDPHOTO_SERVER__ALLOWED_ORIGINS", format!("[\"{address}\"]"));
    let server = data_dir.serve(&options).await;
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
    let parameters = json!({ "api": server.api(), "photo": "/photo.jpg" }).to_string();
    let reported = tokio::time::timeout(Duration::from_secs(90), serve_page(&origin, parameters, photo));
    let result = reported.await.expect("the page reported no result within 90 s");

    assert_eq!(result["error"], Value::Null, "{result:#}\n{}", server.log());
    assert_eq!(result["put"], 200);
    assert!(result["eTag"].is_string(), "the ETag is exposed: {result:#}");
    assert_eq!(result["status"], "COMPLETED");
    assert_eq!(result["thumbnail"], json!([256, 192]), "upright");
    assert!(
        result["streamed"].as_str().unwrap().contains("event: snapshot"),
        "{result:#}"
    );
    let events = result["events"].as_array().unwrap();
    assert_eq!(events[0][0], "snapshot", "{result:#}");
    let states: Vec<_> = events
        .iter()
        .filter(|event| event[0] == "photo")
        .filter_map(|event| event[1].as_str())
        .collect();
    assert_eq!(states, ["VERIFYING", "PROCESSING", "COMPLETED"]);
}

/// Path of Chromium or Chrome, which has different names on different distributions.
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
        .expect("Chromium is required; scripts/test installs it")
}

/// Serves the page, its parameters and its photo until the page posts its result.
async fn serve_page(origin: &TcpListener, parameters: String, photo: Bytes) -> Value {
    let page = Arc::new(Page { parameters, photo });
    let (sender, mut results) = mpsc::channel(1);
    loop {
        tokio::select! {
            result = results.recv() => return result.unwrap(),
            connection = origin.accept() => {
                // Browsers open connections that they may never use, so all are served concurrently.
                let (page, sender) = (Arc::clone(&page), sender.clone());
                let (stream, _) = connection.unwrap();
                tokio::spawn(async move { page.respond(stream, sender).await });
            }
        }
    }
}

/// Content served to the browser.
struct Page {
    parameters: String,
    photo: Bytes,
}

impl Page {
    async fn respond(&self, mut stream: TcpStream, sender: mpsc::Sender<Value>) {
        let Some((head, body)) = read_request(&mut stream).await else {
            return;
        };
        let (media_type, content): (&str, &[u8]) = match head.split(' ').nth(1).unwrap_or_default() {
            "/" => ("text/html", PAGE.as_bytes()),
            "/parameters" => ("application/json", self.parameters.as_bytes()),
            "/photo.jpg" => ("image/jpeg", &self.photo),
            "/result" => {
                sender.send(serde_json::from_slice(&body).unwrap()).await.unwrap();
                return;
            }
            _ => ("text/plain", b""),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            content.len()
        );
        // A browser that closes the connection repeats its request if necessary.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(content).await;
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
