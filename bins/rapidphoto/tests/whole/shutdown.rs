//! SIGTERM drains: exit 0 within 30 s, and nothing is lost.

use std::time::{Duration, Instant};

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::PASSWORD;

use crate::bench::{Bench, ended, jpeg, photo, promise, statuses};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_hands_its_work_on() {
    let bench = Bench::new();
    let mut server = bench.serve(&Bench::options()).await;
    let client = server.client().unwrap();
    client.register("drain@example.org", PASSWORD).await.unwrap();
    let session = client.log_in("drain@example.org", PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..20).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = promise(&session, &files).await;
    // Somebody watches, which must not keep the server.
    let mut watch = session.watch_job(&job_id);
    watch.next().await.unwrap();
    for (item, bytes) in items.iter().zip(&photos) {
        session.put(item, bytes.clone()).await.unwrap();
    }
    let told = Instant::now();
    let status = server.terminate().await.unwrap();
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(told.elapsed() < Duration::from_secs(30));
    bench.assert_verified();

    let server = bench.serve(&Bench::options()).await;
    let session = server
        .client()
        .unwrap()
        .log_in("drain@example.org", PASSWORD)
        .await
        .unwrap();
    let job = ended(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed; 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_finish_keep_no_server() {
    let bench = Bench::new();
    let mut running = bench.start().await;
    let session = &running.session;
    let bytes = photo(1);
    let (job_id, items) = promise(session, &[jpeg(&bytes)]).await;
    // One sends its photo drop by drop, one begins a request and says no more, one watches.
    let put = reqwest::Client::new()
        .put(items[0].presigned_url.clone().unwrap())
        .header("content-length", bytes.len())
        .header("content-type", "image/jpeg")
        .header("if-none-match", "*")
        .body(reqwest::Body::wrap_stream(drops(bytes)));
    let put = tokio::spawn(put.send());
    let api = running.server.api().trim_start_matches("http://").to_owned();
    let mut stalled = tokio::net::TcpStream::connect(api).await.unwrap();
    let head = b"POST /commands/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut stalled, head)
        .await
        .unwrap();
    let mut watch = session.watch_job(&job_id);
    watch.next().await.unwrap();

    let told = Instant::now();
    let status = running.server.terminate().await.unwrap();
    assert!(status.success(), "{status}\n{}", running.server.log());
    assert!(told.elapsed() < Duration::from_secs(30), "{:?}", told.elapsed());
    put.abort();
    bench.assert_verified();
}

/// A body that takes minutes.
fn drops(bytes: bytes::Bytes) -> impl futures::Stream<Item = Result<bytes::Bytes, std::io::Error>> {
    futures::stream::unfold(bytes, |mut bytes| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        (!bytes.is_empty()).then(|| (Ok(bytes.split_to(16.min(bytes.len()))), bytes))
    })
}
