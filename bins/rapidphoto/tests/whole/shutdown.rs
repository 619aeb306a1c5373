//! SIGTERM drains the server: it exits with 0 in bounded time and loses no work.

use std::time::{Duration, Instant};

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::PASSWORD;

use crate::fixtures::{DataDir, binary, declare, finished_job, jpeg, photo, statuses};

#[tokio::test(flavor = "multi_thread")]
async fn work_interrupted_by_sigterm_is_finished_by_the_next_server() {
    let data_dir = DataDir::new();
    let mut server = data_dir.serve(&DataDir::options()).await;
    let client = server.client().unwrap();
    client.register("drain@example.org", PASSWORD).await.unwrap();
    let session = client.log_in("drain@example.org", PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..20).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(&session, &files).await;
    // An open event stream must not delay the shutdown.
    let mut watch = session.watch_job(&job_id);
    watch.next().await.unwrap();
    for (item, bytes) in items.iter().zip(&photos) {
        session.put(item, bytes.clone()).await.unwrap();
    }
    let signalled = Instant::now();
    let status = server.terminate().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(signalled.elapsed() < Duration::from_secs(30));
    data_dir.assert_verified();

    let server = data_dir.serve(&DataDir::options()).await;
    let session = server
        .client()
        .unwrap()
        .log_in("drain@example.org", PASSWORD)
        .await
        .unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed; 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_requests_do_not_delay_the_shutdown() {
    let data_dir = DataDir::new();
    let mut running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(1);
    let (job_id, items) = declare(session, &[jpeg(&bytes)]).await;
    // One client uploads very slowly, one stalls in the middle of a request, one watches.
    let put = reqwest::Client::new()
        .put(items[0].presigned_url.clone().unwrap())
        .header("content-length", bytes.len())
        .header("content-type", "image/jpeg")
        .header("if-none-match", "*")
        .body(reqwest::Body::wrap_stream(slow_body(bytes)));
    let put = tokio::spawn(put.send());
    let api = running.server.api().trim_start_matches("http://").to_owned();
    let mut stalled = tokio::net::TcpStream::connect(api).await.unwrap();
    let head = b"POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut stalled, head)
        .await
        .unwrap();
    let mut watch = session.watch_job(&job_id);
    watch.next().await.unwrap();

    let signalled = Instant::now();
    let status = running.server.terminate().await.unwrap();
    assert!(status.success(), "{status}\n{}", running.server.log());
    assert!(
        signalled.elapsed() < Duration::from_secs(30),
        "{:?}",
        signalled.elapsed()
    );
    put.abort();
    data_dir.assert_verified();
}

/// The longest stop: the delay, twice the drain time-out, 8 s to close the database, 2 s to send traces and 1 s for other
/// threads.
#[test]
fn the_service_manager_waits_for_the_longest_stop_that_can_be_configured() {
    let (delay, drain) = (60, 15);
    let is_valid = |delay: u64, drain: u64| {
        let checked = rapidphoto_testkit::command(binary())
            .args(["serve", "--check-config"])
            .env("RAPIDPHOTO_SERVER__SHUTDOWN_DELAY", format!("{delay}s"))
            .env("RAPIDPHOTO_SERVER__DRAIN_TIMEOUT", format!("{drain}s"))
            .output();
        checked.unwrap().status.success()
    };
    assert!(is_valid(delay, drain) && !is_valid(delay + 1, drain) && !is_valid(delay, drain + 1));
    let unit = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/systemd/rapidphoto.service"
    );
    let unit = std::fs::read_to_string(unit).unwrap();
    let (_, rest) = unit.split_once("\nTimeoutStopSec=").unwrap();
    let seconds: u64 = rest.split_once("s\n").unwrap().0.parse().unwrap();
    assert!(seconds > delay + 2 * drain + 8 + 2 + 1, "{seconds}");
}

/// Body that takes minutes to send: 16 bytes every 200 ms.
fn slow_body(bytes: bytes::Bytes) -> impl futures::Stream<Item = Result<bytes::Bytes, std::io::Error>> {
    futures::stream::unfold(bytes, |mut bytes| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        (!bytes.is_empty()).then(|| (Ok(bytes.split_to(16.min(bytes.len()))), bytes))
    })
}
