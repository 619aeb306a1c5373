//! Readiness, signals and the listener for operators.

use std::time::Duration;

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::PASSWORD;
use reqwest::StatusCode;
use tokio::{
    sync::mpsc,
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
    let (chunks, receiver) = mpsc::channel(1);
    let body = futures::stream::unfold(receiver, |mut receiver| async move {
        let chunk: bytes::Bytes = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), receiver))
    });
    let mut put = reqwest::Client::new()
        .put(items[0].presigned_url.clone().unwrap())
        .header("content-length", photos[0].len());
    for (name, value) in &items[0].headers {
        if !name.eq_ignore_ascii_case("content-length") {
            put = put.header(name, value);
        }
    }
    let put = tokio::spawn(put.body(reqwest::Body::wrap_stream(body)).send());
    let mut rest = photos[0].clone();
    chunks.send(rest.split_to(1000)).await.unwrap();
    let begun = async {
        let incoming = data_dir.path().join("objects/incoming");
        while std::fs::read_dir(&incoming).unwrap().count() == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(GUARD, begun).await.expect("the upload begins");

    server.signal("TERM").await.unwrap();
    let report = until_readiness(server.api(), StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(report["status"], "stopping");
    // Other requests are served until the delay is over, uploads included.
    session.put(&items[1], photos[1].clone()).await.unwrap();
    assert_eq!(session.job(&job_id).await.unwrap().photos.len(), 2);

    let closed = async {
        while tokio::net::TcpStream::connect(server.api().trim_start_matches("http://"))
            .await
            .is_ok()
        {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(GUARD, closed).await.expect("the listener closes");
    // Longer than uploads once got, and shorter than the drain time-out.
    sleep(Duration::from_secs(6)).await;
    chunks.send(rest).await.unwrap();
    drop(chunks);
    assert_eq!(put.await.unwrap().unwrap().status(), 200);
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
                // Each request to the storage has a line at `debug`.
                let _ = reqwest::get(format!("{}/readyz", server.api())).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn operators_have_a_listener_of_their_own() {
    let data_dir = DataDir::new();
    let options = DataDir::options()
        .with("RAPIDPHOTO_SERVER__OPERATIONS_LISTEN", "127.0.0.1:0")
        .with("RAPIDPHOTO_SERVER__PUBLIC_DOCS", "false");
    let server = data_dir.serve(&options).await;
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("listening for operators"))
        .unwrap();
    let (_, address) = line.split_once("address=").unwrap();
    let operations = format!("http://{}", address.trim());

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
