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
