//! Readiness, signals and the listener for operators.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use rapidphoto_client::types::{JobItem, PhotoStatus};
use rapidphoto_testkit::{PASSWORD, Server, new_user};
use reqwest::StatusCode;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::fixtures::{DataDir, declare, finished_job, jpeg, photo, statuses};

const GUARD: Duration = Duration::from_mins(1);

async fn readiness(base: &str) -> (StatusCode, serde_json::Value) {
    let response = reqwest::get(format!("{base}/readyz")).await.unwrap();
    let status = response.status();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}

/// Base URL of the listener for operators.
fn operations_url(server: &Server) -> String {
    let log = server.log();
    let line = log.lines().find(|line| line.contains("listening for operators"));
    let (_, address) = line.unwrap().split_once("address=").unwrap();
    format!("http://{}", address.trim())
}

/// Waits until connections are refused.
async fn until_closed(base: &str) {
    let closed = async {
        while TcpStream::connect(base.trim_start_matches("http://"))
            .await
            .is_ok()
        {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(GUARD, closed).await.expect("the listener closes");
}

/// An upload of which 1000 bytes have arrived.
struct HalfSent {
    rest: bytes::Bytes,
    chunks: mpsc::Sender<bytes::Bytes>,
    put: JoinHandle<reqwest::Result<reqwest::Response>>,
}

impl HalfSent {
    async fn begin(data_dir: &DataDir, item: &JobItem, mut photo: bytes::Bytes) -> Self {
        let (chunks, receiver) = mpsc::channel(1);
        let body = futures::stream::unfold(receiver, |mut receiver| async move {
            let chunk: bytes::Bytes = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(chunk), receiver))
        });
        let mut put = reqwest::Client::new()
            .put(item.presigned_url.clone().unwrap())
            .header("content-length", photo.len());
        for (name, value) in &item.headers {
            if !name.eq_ignore_ascii_case("content-length") {
                put = put.header(name, value);
            }
        }
        let put = tokio::spawn(put.body(reqwest::Body::wrap_stream(body)).send());
        chunks.send(photo.split_to(1000)).await.unwrap();
        let begun = async {
            let incoming = data_dir.path().join("objects/incoming");
            while std::fs::read_dir(&incoming).unwrap().count() == 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(GUARD, begun).await.expect("the upload begins");
        Self {
            rest: photo,
            chunks,
            put,
        }
    }

    async fn send_rest(self) -> StatusCode {
        self.chunks.send(self.rest).await.unwrap();
        drop(self.chunks);
        self.put.await.unwrap().unwrap().status()
    }
}

/// Waits until the server's readiness has this status.
async fn until_readiness(base: &str, status: StatusCode) -> serde_json::Value {
    let reached = async {
        loop {
            match readiness(base).await {
                (found, report) if found == status => return report,
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
    };
    timeout(GUARD, reached).await.expect("the readiness changes")
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_completes_uploads_under_way_and_serves_requests_for_the_delay() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_SERVER__SHUTDOWN_DELAY", "4s");
    let mut server = data_dir.serve(&options).await;
    let client = server.client().unwrap();
    client.register("drain@example.org", PASSWORD).await.unwrap();
    let session = client.log_in("drain@example.org", PASSWORD).await.unwrap();
    let photos = [photo(1), photo(2)];
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(&session, &files).await;

    // Half of the first photo is sent before the signal, the rest well after the listeners are closed.
    let upload = HalfSent::begin(&data_dir, &items[0], photos[0].clone()).await;

    server.signal("TERM").await.unwrap();
    let report = until_readiness(server.api(), StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(report["status"], "stopping");
    // Other requests are served until the delay is over, uploads included.
    session.put(&items[1], photos[1].clone()).await.unwrap();
    assert_eq!(session.job(&job_id).await.unwrap().photos.len(), 2);

    until_closed(server.api()).await;
    // Longer than uploads once got, and shorter than the drain time-out.
    sleep(Duration::from_secs(6)).await;
    assert_eq!(upload.send_rest().await, 200);
    let status = server.wait().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
    data_dir.assert_verified();

    let server = data_dir.serve(&DataDir::options()).await;
    let client = server.client().unwrap();
    let session = client.log_in("drain@example.org", PASSWORD).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_for_operators_closes_last() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_SERVER__OPERATIONS_LISTEN", "127.0.0.1:0");
    let mut server = data_dir.serve(&options).await;
    let operations = operations_url(&server);
    let session = new_user(&server.client().unwrap()).await.unwrap();
    let photo = photo(1);
    let (_, items) = declare(&session, &[jpeg(&photo)]).await;
    let upload = HalfSent::begin(&data_dir, &items[0], photo).await;
    assert_eq!(readiness(&operations).await.0, StatusCode::OK);
    server.signal("TERM").await.unwrap();
    until_closed(server.api()).await;
    let (status, report) = readiness(&operations).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(report["status"], "stopping");
    assert_eq!(upload.send_rest().await, 200);
    let status = server.wait().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(server.log().contains("drained"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_the_log_filter_and_changes_nothing_if_it_is_invalid() {
    let data_dir = DataDir::new();
    let file = data_dir.path().with_extension("toml");
    let configure = |filter: &str| std::fs::write(&file, format!("[log]\nfilter = \"{filter}\"\n")).unwrap();
    configure("info");
    let options = DataDir::options().with("RAPIDPHOTO_CONFIG", file.to_str().unwrap());
    let mut server = data_dir.serve(&options).await;
    let until_logged = async |text: &str| {
        let logged = async {
            while !server.log().contains(text) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(GUARD, logged)
            .await
            .unwrap_or_else(|_| panic!("no {text:?} in:\n{}", server.log()));
    };
    let debug_line = "handled a storage request";
    until_readiness(server.api(), StatusCode::OK).await;
    assert!(!server.log().contains(debug_line), "{}", server.log());

    configure("info,rapidphoto_storage_embedded=debug");
    server.signal("HUP").await.unwrap();
    until_logged("log filter reloaded").await;
    // Each request to the storage has a line at `debug`.
    let session = new_user(&server.client().unwrap()).await.unwrap();
    let photo = photo(1);
    let (_, items) = declare(&session, &[jpeg(&photo)]).await;
    let mut put = reqwest::Client::new().put(items[0].presigned_url.clone().unwrap());
    for (name, value) in &items[0].headers {
        put = put.header(name, value);
    }
    assert_eq!(put.body(photo).send().await.unwrap().status(), StatusCode::OK);
    until_logged(debug_line).await;

    configure("=loud=");
    server.signal("HUP").await.unwrap();
    until_logged("SIGHUP: the configuration is invalid").await;
    until_readiness(server.api(), StatusCode::OK).await;

    server.signal("INT").await.unwrap();
    assert!(server.wait().await.unwrap().success());
    assert!(server.log().contains("SIGINT: draining"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_data_is_not_ready() {
    for (removed, failing) in [("objects", "object storage"), ("", "record")] {
        let data_dir = DataDir::new();
        let server = data_dir.serve(&DataDir::options()).await;
        until_readiness(server.api(), StatusCode::OK).await;
        // Moved instead of deleted, because the server may be writing.
        let moved = data_dir.path().with_extension("moved");
        std::fs::rename(data_dir.path().join(removed), moved).unwrap();
        let report = until_readiness(server.api(), StatusCode::SERVICE_UNAVAILABLE).await;
        let failed = report["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .any(|dependency| dependency["name"] == failing && dependency["state"] == "down");
        assert!(failed, "{report}");
        // Nothing is left to drain into.
        server.kill().await.unwrap();
    }
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_full_disk_is_not_ready() {
    for (free, status, state) in [
        (64 << 20, StatusCode::OK, "up"),
        ((64 << 20) - 1, StatusCode::SERVICE_UNAVAILABLE, "down"),
    ] {
        let data_dir = DataDir::new();
        let options = DataDir::options().with("FAILPOINTS", format!("free-space=return({free})"));
        let server = data_dir.serve(&options).await;
        let report = until_readiness(server.api(), status).await;
        let dependencies = report["dependencies"].as_array().unwrap();
        let disk = dependencies
            .iter()
            .find(|one| one["name"] == "free space")
            .unwrap();
        assert_eq!(disk["state"], state, "{report}");
        // Far below `data.min_free_bytes`: photos are refused, everything else is served.
        let session = new_user(&server.client().unwrap()).await.unwrap();
        session.create_job(&[jpeg(&photo(1))], None).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_have_a_listener_of_their_own() {
    let data_dir = DataDir::new();
    let options = DataDir::options()
        .with("RAPIDPHOTO_SERVER__OPERATIONS_LISTEN", "127.0.0.1:0")
        .with("RAPIDPHOTO_SERVER__PUBLIC_DOCS", "false");
    let server = data_dir.serve(&options).await;
    let operations = operations_url(&server);

    for path in ["/metrics", "/readyz", "/docs/"] {
        let public = reqwest::get(format!("{}{path}", server.api())).await.unwrap();
        assert_eq!(public.status(), 404, "{path}");
        let private = reqwest::get(format!("{operations}{path}")).await.unwrap();
        assert_eq!(private.status(), 200, "{path}");
    }
    let private = reqwest::get(format!("{operations}/queries/photos"))
        .await
        .unwrap();
    assert_eq!(private.status(), 404);
    let metrics = reqwest::get(format!("{operations}/metrics"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for gauge in ["\nrapidphoto_data_free_bytes ", "\nrapidphoto_store_free_bytes "] {
        let (_, value) = metrics.split_once(gauge).expect(&metrics);
        let value: f64 = value.lines().next().unwrap().parse().unwrap();
        assert!(value > 0.0, "{gauge}{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_for_operators_has_64_connections_of_its_own() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_SERVER__OPERATIONS_LISTEN", "127.0.0.1:0");
    let server = data_dir.serve(&options).await;
    let operations = operations_url(&server);
    // One connection is kept from the first request to the last.
    let http = reqwest::Client::new();
    let metric = async |series: &str| {
        let response = http.get(format!("{operations}/metrics")).send().await.unwrap();
        let text = response.text().await.unwrap();
        let (_, value) = text.split_once(&format!("\n{series} ")).expect(&text);
        value.lines().next().unwrap().parse::<u32>().unwrap()
    };
    let refused = r#"rapidphoto_connections_refused_total{listener="operations",reason="per_address"}"#;
    assert_eq!(metric(refused).await, 0);
    let mut held = Vec::new();
    for _ in 0..64 {
        let address = operations.trim_start_matches("http://");
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let counted = async {
        while metric(refused).await == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(GUARD, counted)
        .await
        .expect("the 65th connection is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_accepts_the_metrics_of_a_server() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let bytes = photo(1);
    let (job_id, items) = declare(&running.session, &[jpeg(&bytes)]).await;
    running.session.put(&items[0], bytes).await.unwrap();
    finished_job(&running.session, &job_id).await;
    let metrics = reqwest::get(format!("{}/metrics", running.server.api()))
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is required; scripts/test installs it");
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(metrics.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let found = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && found.is_empty(), "{found}");
}

#[test]
fn origins_are_allowed_on_the_command_line() {
    let data_dir = DataDir::new();
    let output = data_dir.command(&[
        "serve",
        "--check-config",
        "--allow-origin",
        "https://app.example.org",
        "--allow-origin",
        "http://localhost:5173",
    ]);
    assert!(output.status.success(), "{output:?}");
    let config: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!(["https://app.example.org", "http://localhost:5173"]);
    assert_eq!(config["server"]["allowed_origins"], expected);
}
