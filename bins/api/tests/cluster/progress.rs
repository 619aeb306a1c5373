//! Progress that one replica receives, seen at both.

use std::{collections::HashMap, time::Duration};

use rapidphoto_client::{
    Session, WatchEvent,
    types::{FileRequest, ProgressTick},
};
use rapidphoto_testkit::PASSWORD;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{deployment::Deployment, upload::repeated};

const PHOTOS: usize = 3;
const BYTES: u64 = 100_000;
/// Within the rate of a user's progress reports.
const PAUSE: Duration = Duration::from_millis(100);

/// Uploads whose client reports its progress.
struct Uploads {
    photos: Vec<String>,
    sent: u64,
}

impl Uploads {
    /// Reports more progress to one replica, and outdated progress to the other.
    async fn report(&mut self, replicas: &[Session; 2]) {
        self.sent += 500;
        let ticks = |sent: u64| -> Vec<ProgressTick> {
            let tick = |photo: &String| ProgressTick {
                photo_id: photo.clone(),
                bytes_sent: sent,
                bytes_total: BYTES,
            };
            self.photos.iter().map(tick).collect()
        };
        let (newest, outdated) = (ticks(self.sent), ticks(self.sent / 2));
        repeated(|| replicas[0].report_progress(&newest)).await;
        repeated(|| replicas[1].report_progress(&outdated)).await;
        sleep(PAUSE).await;
    }
}

/// Bytes that a replica knows of.
async fn known(replica: &Session, job: &str) -> u64 {
    let job = repeated(|| replica.job(job)).await;
    job.photos[0].progress.bytes_sent
}

/// Polls a replica until it is told to stop; returns how often a job's percentage rose. Panics if one falls.
fn poll(replica: &Session, job: &str, stop: &CancellationToken) -> JoinHandle<usize> {
    let (replica, job, stop) = (replica.clone(), job.to_owned(), stop.clone());
    tokio::spawn(async move {
        let (mut last, mut rises) = (HashMap::new(), 0);
        while !stop.is_cancelled() {
            let job = repeated(|| replica.job(&job)).await;
            let photos = job
                .photos
                .iter()
                .map(|photo| (photo.photo_id.clone(), photo.progress.percent));
            for (id, percent) in photos.chain([(job.job_id.clone(), job.percent)]) {
                let before = last.insert(id.clone(), percent).unwrap_or_default();
                assert!(percent >= before, "{id} falls from {before} % to {percent} %");
                rises += usize::from(percent > before);
            }
            sleep(Duration::from_millis(30)).await;
        }
        rises
    })
}

/// Watches a job at a replica until it is told to stop; returns the number of progress events. Panics if a percentage falls.
fn watch(replica: &Session, job: &str, stop: &CancellationToken) -> JoinHandle<usize> {
    let (mut watch, stop) = (replica.watch_job(job), stop.clone());
    tokio::spawn(async move {
        let (mut last, mut events) = (HashMap::new(), 0);
        while let Some(event) = stop.run_until_cancelled(watch.next()).await {
            if let WatchEvent::Photo(event) = event.unwrap()
                && let Some(progress) = event.progress
            {
                let before = last.insert(event.photo_id, progress.percent).unwrap_or_default();
                assert!(
                    progress.percent >= before,
                    "{before} %, then {} %",
                    progress.percent
                );
                events += 1;
            }
        }
        events
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn percentages_never_fall_at_any_replica_with_and_without_the_broker() {
    let deployment = Deployment::start(2, 0).await;
    let first = deployment.new_user("progress@example.org").await;
    let second = deployment
        .client(1)
        .log_in("progress@example.org", PASSWORD)
        .await
        .unwrap();
    let replicas = [first, second];
    let files: Vec<_> = (0..PHOTOS)
        .map(|number| FileRequest {
            filename: format!("{number}.jpg"),
            mime_type: "image/jpeg".to_owned(),
            bytes: BYTES,
            upload_id: None,
            checksum: None,
        })
        .collect();
    let created = replicas[0].create_job(&files, None).await.unwrap();
    let job = created.job_id.unwrap();
    let mut uploads = Uploads {
        photos: created.items.into_iter().map(|item| item.photo_id).collect(),
        sent: 0,
    };
    let stop = CancellationToken::new();
    let polls = [0, 1].map(|replica| poll(&replicas[replica], &job, &stop));
    let watches = [0, 1].map(|replica| watch(&replicas[replica], &job, &stop));

    for _ in 0..20 {
        uploads.report(&replicas).await;
    }
    while known(&replicas[1], &job).await < uploads.sent {
        uploads.report(&replicas).await;
    }
    let broker = &deployment.broker;
    tokio::task::block_in_place(|| broker.stop());
    for _ in 0..10 {
        uploads.report(&replicas).await;
    }
    assert_eq!(known(&replicas[0], &job).await, uploads.sent);
    assert!(
        known(&replicas[1], &job).await < uploads.sent,
        "the broker is stopped"
    );
    tokio::task::block_in_place(|| broker.start_again());
    while known(&replicas[1], &job).await < uploads.sent {
        uploads.report(&replicas).await;
        assert!(
            uploads.sent < BYTES,
            "progress does not reach the other replica again"
        );
    }

    stop.cancel();
    for poll in polls {
        assert!(poll.await.unwrap() > 10);
    }
    for watch in watches {
        assert!(watch.await.unwrap() > 10);
    }
}
