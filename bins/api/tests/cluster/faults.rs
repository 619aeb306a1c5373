//! Three jobs of 100 photos end completely, each photo once, while parts of the deployment fail.

use std::{collections::HashMap, time::Duration};

use futures::future::join_all;
use rapidphoto_client::{Client, WatchEvent, types::PhotoStatus};
use rapidphoto_testkit::PASSWORD;
use tokio::{sync::Mutex, time::sleep};

use crate::{
    deployment::{Deployment, Program},
    messages::{Detour, SOURCE, forward},
    switch::Switch,
    upload::{finished, photos, repeated, upload},
};

const JOBS: usize = 3;
const PHOTOS: usize = 100;

/// One deployment at a time: they share the machine.
pub(crate) static MACHINE: Mutex<()> = Mutex::const_new(());

/// Uploads three jobs through both replicas of the API while `fault` runs, and checks that every photo is completed once.
async fn completes_while(apis: usize, workers: usize, fault: impl AsyncFnOnce(&mut Deployment)) {
    let _machine = MACHINE.lock().await;
    let mut deployment = Deployment::start(apis, workers).await;
    completes(&mut deployment, apis, fault).await;
}

pub(crate) async fn completes(
    deployment: &mut Deployment,
    apis: usize,
    fault: impl AsyncFnOnce(&mut Deployment),
) {
    let first = deployment.new_user("first@example.org").await;
    let mut sessions = vec![first];
    for api in 1..JOBS {
        let client = deployment.client(api % apis);
        let session = repeated(|| client.log_in("first@example.org", PASSWORD)).await;
        sessions.push(session);
    }
    let uploads = async {
        let jobs = sessions.iter().enumerate().map(|(number, session)| async move {
            let first = number * PHOTOS;
            let job = upload(session, &photos(first, PHOTOS), first).await;
            finished(session, &job).await
        });
        join_all(jobs).await
    };
    let (jobs, ()) = tokio::join!(uploads, fault(deployment));
    for job in jobs {
        let others: Vec<_> = job
            .photos
            .iter()
            .filter(|photo| photo.status != PhotoStatus::Completed)
            .map(|photo| (photo.status, &photo.reasons))
            .collect();
        assert!(others.is_empty(), "{others:?}\n{}", deployment.logs());
        assert_eq!(job.photos.len(), PHOTOS);
    }
    let results = "SELECT count(*), count(DISTINCT stream_id) FROM events WHERE event_type = 'PhotoProcessingCompleted'";
    let expected = JOBS * PHOTOS;
    assert_eq!(
        deployment.query(results),
        format!("{expected}|{expected}"),
        "one result a photo"
    );
    deployment.assert_verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_by_two_apis_and_three_workers() {
    completes_while(2, 3, async |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_while_rabbitmq_is_away() {
    completes_while(2, 3, async |deployment| {
        sleep(Duration::from_secs(1)).await;
        deployment.broker.stop();
        sleep(Duration::from_secs(5)).await;
        deployment.broker.start_again();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_while_postgresql_crashes() {
    completes_while(2, 3, async |deployment| {
        for _ in 0..2 {
            sleep(Duration::from_secs(2)).await;
            deployment.postgres.kill();
            deployment.postgres.start_again();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_while_the_storage_answers_503() {
    completes_while(2, 3, async |deployment| {
        sleep(Duration::from_secs(1)).await;
        deployment.storage.set_failing(true);
        sleep(Duration::from_secs(10)).await;
        deployment.storage.set_failing(false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_while_workers_are_killed() {
    completes_while(2, 3, async |deployment| {
        for _ in 0..4 {
            sleep(Duration::from_secs(2)).await;
            deployment.workers.remove(0).kill().await.unwrap();
            let worker = deployment.new_process(Program::Worker, &[]).await;
            deployment.workers.push(worker);
        }
    })
    .await;
}

async fn completes_with(detour: Detour) {
    let _machine = MACHINE.lock().await;
    let mut deployment = Deployment::start_with(2, 3, &[("RAPIDPHOTO_BROKER__PREFIX", SOURCE)]).await;
    let forwarding = forward(&deployment.broker.url(), detour);
    completes(&mut deployment, 2, async |_| {}).await;
    forwarding.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_if_every_event_comes_three_times() {
    completes_with(Detour::Thrice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_if_half_of_the_events_are_lost() {
    completes_with(Detour::Half).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_of_a_killed_replica_go_on_at_another_without_a_gap() {
    let _machine = MACHINE.lock().await;
    let mut deployment = Deployment::start(2, 2).await;
    let proxy = Switch::open().await;
    proxy.connect(deployment.apis[0].announced("api").unwrap());
    let uploader = deployment.new_user("watcher@example.org").await;
    // The uploads go to the replica that stays.
    let client = deployment.client(1);
    let uploader_elsewhere = client.log_in("watcher@example.org", PASSWORD).await.unwrap();
    drop(uploader);
    let through_proxy = Client::new(&proxy.url()).unwrap();
    let watcher = through_proxy
        .log_in("watcher@example.org", PASSWORD)
        .await
        .unwrap();

    let files = photos(0, PHOTOS);
    let job = upload(&uploader_elsewhere, &files[..1], 0).await;
    finished(&uploader_elsewhere, &job).await;
    let uploads = async {
        // A second job, whose events are watched from its creation on.
        upload(&uploader_elsewhere, &files[1..], 1).await
    };
    let watching = async {
        let job = loop {
            let page = repeated(|| uploader_elsewhere.photos(&[("size", "1")])).await;
            match page.items.first() {
                Some(photo) if photo.job_id != job => break photo.job_id.clone(),
                _ => sleep(Duration::from_millis(20)).await,
            }
        };
        let mut watch = watcher.watch_job(&job);
        let (mut completed, mut snapshots) = (HashMap::<String, u32>::new(), 0);
        loop {
            match watch.next().await.expect("the watch goes on") {
                WatchEvent::Snapshot(snapshot) => {
                    snapshots += 1;
                    for photo in &snapshot.photos {
                        if photo.status == PhotoStatus::Completed {
                            completed.insert(photo.photo_id.clone(), 1);
                        }
                    }
                }
                WatchEvent::Photo(event) if event.status == Some(PhotoStatus::Completed) => {
                    *completed.entry(event.photo_id.clone()).or_default() += 1;
                    if completed.len() == 20 {
                        deployment.apis.remove(0).kill().await.unwrap();
                        proxy.connect(deployment.apis[0].announced("api").unwrap());
                    }
                }
                WatchEvent::End(_) => break,
                _ => {}
            }
        }
        (completed, snapshots)
    };
    let (_, (completed, snapshots)) = tokio::join!(uploads, watching);
    assert_eq!(snapshots, 1, "the stream was resumed");
    assert_eq!(completed.len(), PHOTOS - 1);
    assert!(completed.values().all(|count| *count == 1), "{completed:?}");
    deployment.assert_verified();
}
