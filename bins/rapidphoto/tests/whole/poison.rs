//! Photos that crash or hang their decoder: they fail alone, and the server stays up.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use rapidphoto_client::{Session, types::PhotoStatus};
use rapidphoto_testkit::{PASSWORD, new_user};

use crate::fixtures::{DataDir, count_events, declare, finished_job, jpeg, photo, statuses};

/// Message of a child that ended with a photo.
const ENDED: &str = "a photo has ended its child process";

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_photo_fails_after_three_attempts_and_takes_no_other_with_it() {
    const POISON: &[u8] = b"drill: abort";
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let mut photos: Vec<_> = (0..7).map(photo).collect();
    photos.insert(3, Bytes::from_static(POISON));
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(session, &files).await;
    let puts = items
        .iter()
        .zip(&photos)
        .map(|(item, bytes)| session.put(item, bytes.clone()));
    futures::future::try_join_all(puts).await.unwrap();

    let job = finished_job(session, &job_id).await;
    let log = running.server.log();
    for (index, photo) in job.photos.iter().enumerate() {
        let is_poison = photo.photo_id == items[3].photo_id;
        let expected = if is_poison {
            PhotoStatus::Failed
        } else {
            PhotoStatus::Completed
        };
        assert_eq!(photo.status, expected, "photo {index}\n{log}");
        if is_poison {
            assert_eq!(photo.reasons[0].code, "processing_error");
        }
    }
    assert_eq!(log.matches(ENDED).count(), 3, "one child for each attempt\n{log}");
    assert!(log.contains("photos are inspected in child processes"), "{log}");
    assert_eq!(count_events(session, &items[3].photo_id, "PhotoFailed").await, 1);
    assert!(
        is_stored(&data_dir.path().join("objects"), POISON),
        "the original is kept"
    );

    // The same process inspects the next photo.
    let bytes = photo(9);
    let (job_id, items) = declare(session, &[jpeg(&bytes)]).await;
    session.put(&items[0], bytes).await.unwrap();
    assert_eq!(
        statuses(&finished_job(session, &job_id).await),
        [PhotoStatus::Completed]
    );
    running.server.kill().await.unwrap();
    data_dir.assert_verified();
}

/// Returns true if a file in the directory or below holds these bytes.
fn is_stored(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            is_stored(&path, bytes)
        } else {
            // Its attributes are stored beside them.
            fs::read(path)
                .unwrap()
                .windows(bytes.len())
                .any(|window| window == bytes)
        }
    })
}

/// Process ids of the children of a process that still run.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|process| status_field(*process, "PPid:").is_some_and(|found| found == parent.to_string()))
        .collect()
}

/// Returns true while a process exists and is no zombie.
fn is_alive(process: u32) -> bool {
    status_field(process, "State:").is_some_and(|state| state != "Z" && state != "X")
}

pub(crate) fn status_field(process: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn children_end_when_their_server_is_killed() {
    let data_dir = DataDir::new();
    let server = data_dir
        .serve(&DataDir::options().with("RAPIDPHOTO_IMAGING__THREADS", "2"))
        .await;
    let session = new_user(&server.client().unwrap()).await.unwrap();
    // One child works without end, the other one is idle.
    let busy = Bytes::from_static(b"drill: loop");
    let (job_id, items) = declare(&session, &[jpeg(&busy)]).await;
    session.put(&items[0], busy).await.unwrap();
    until_processing(&session, &job_id, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let children = children_of(server.id().unwrap());
    assert_eq!(children.len(), 2);
    assert!(children.iter().copied().all(is_alive));

    server.kill().await.unwrap();
    let ended = async {
        while children.iter().copied().any(is_alive) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let limit = Duration::from_secs(1);
    assert!(
        tokio::time::timeout(limit, ended).await.is_ok(),
        "children are still alive a second after their server"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_photo_that_kills_its_servers_is_blamed_for_their_end() {
    const ALONE: &str = "the work is repeated alone";
    let data_dir = DataDir::new();
    // One child, which the killer keeps busy: the seven others, in hand of the same server, wait for it.
    let options = DataDir::options().with("RAPIDPHOTO_IMAGING__THREADS", "1");
    let mut server = data_dir.serve(&options).await;
    let email = "neighbours@example.org";
    server.client().unwrap().register(email, PASSWORD).await.unwrap();
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let mut photos = vec![Bytes::from_static(b"drill: loop")];
    photos.extend((0..7).map(photo));
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(&session, &files).await;
    // The killer is first in the queue of the child, and in that of repeated work.
    session.put(&items[0], photos[0].clone()).await.unwrap();
    until_processing(&session, &job_id, 1).await;
    let puts = items.iter().zip(&photos).skip(1);
    let puts = puts.map(|(item, bytes)| session.put(item, bytes.clone()));
    futures::future::try_join_all(puts).await.unwrap();
    until_processing(&session, &job_id, 8).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // SIGKILL with eight photos in hand, then whenever the killer is tried again.
    for claim in 2..8 {
        server.kill().await.unwrap();
        server = data_dir.serve(&options).await;
        let tried = async {
            while server.log().matches(ALONE).count() < claim - 1 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), tried).await.unwrap();
    }
    server.kill().await.unwrap();

    let server = data_dir.serve(&options).await;
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    let log = server.log();
    for photo in &job.photos {
        let repeated = log
            .lines()
            .filter(|line| line.contains(ALONE) && line.contains(&photo.photo_id));
        let (expected, repetitions) = if photo.photo_id == items[0].photo_id {
            (PhotoStatus::Failed, 7)
        } else {
            (PhotoStatus::Completed, 1)
        };
        assert_eq!((photo.status, repeated.count()), (expected, repetitions), "{log}");
    }
    server.kill().await.unwrap();
    data_dir.assert_verified();
}

/// Waits until so many photos of a job are PROCESSING.
async fn until_processing(session: &Session, job_id: &str, photos: usize) {
    let processing = async {
        loop {
            let job = session.job(job_id).await.unwrap();
            let status = PhotoStatus::Processing;
            if job.photos.iter().filter(|photo| photo.status == status).count() == photos {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), processing)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_can_be_inspected_on_threads() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_IMAGING__ISOLATION", "thread");
    let server = data_dir.serve(&options).await;
    assert!(children_of(server.id().unwrap()).is_empty());
    let session = new_user(&server.client().unwrap()).await.unwrap();
    let bytes = photo(1);
    let (job_id, items) = declare(&session, &[jpeg(&bytes)]).await;
    session.put(&items[0], bytes).await.unwrap();
    assert_eq!(
        statuses(&finished_job(&session, &job_id).await),
        [PhotoStatus::Completed]
    );
    server.kill().await.unwrap();
}
