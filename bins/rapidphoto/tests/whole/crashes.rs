//! Crash at each step, then restart: every photo reaches a final state, no acknowledged upload is lost, and no photo has
//! two results.

use std::os::unix::process::ExitStatusExt;

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::{ExitedEarly, PASSWORD, Server};

use crate::fixtures::{DataDir, binary, count_events, declare, finished_job, jpeg, photo, statuses};

/// Signal of a process that aborts, as it does at a failpoint.
const SIGABRT: i32 = 6;

/// Aborts the server at a step of the first upload, restarts it and waits until all photos are completed.
async fn survives_crash_at(failpoint: &str) {
    let data_dir = DataDir::new();
    let mut server = data_dir.serve(&DataDir::options().aborting_at(failpoint)).await;
    let client = server.client().unwrap();
    let email = format!("crash-{failpoint}@example.org");
    client.register(&email, PASSWORD).await.unwrap();
    let session = client.log_in(&email, PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..3).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(&session, &files).await;
    // Some uploads are acknowledged, others are interrupted by the crash.
    let acknowledged: Vec<bool> = {
        let puts = items
            .iter()
            .zip(&photos)
            .map(|(item, bytes)| session.put(item, bytes.clone()));
        futures::future::join_all(puts)
            .await
            .iter()
            .map(Result::is_ok)
            .collect()
    };
    let status = server.wait().await.unwrap();
    assert!(!status.success(), "{failpoint} was not reached: {status}");

    let server = data_dir.serve(&DataDir::options()).await;
    let session = server.client().unwrap().log_in(&email, PASSWORD).await.unwrap();
    // Acknowledged uploads need no further request; the others are repeated, as any client does.
    let job = session.job(&job_id).await.unwrap();
    for ((photo, bytes), acknowledged) in job.photos.iter().zip(&photos).zip(&acknowledged) {
        if *acknowledged {
            continue;
        }
        let mut file = jpeg(bytes);
        file.upload_id = Some(photo.upload_id.clone());
        let repeated = session.create_job(&[file], None).await.unwrap();
        assert_eq!(
            repeated.items[0].photo_id, photo.photo_id,
            "a repeated request creates no second photo"
        );
        if repeated.items[0].presigned_url.is_some() {
            // The new URL contains the new port of the storage.
            session.put(&repeated.items[0], bytes.clone()).await.unwrap();
        }
    }
    let job = finished_job(&session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [PhotoStatus::Completed; 3],
        "{failpoint}, acknowledged: {acknowledged:?}\n{}",
        server.log()
    );
    for item in &items {
        assert_eq!(
            count_events(&session, &item.photo_id, "PhotoProcessingCompleted").await,
            1,
            "{failpoint}"
        );
        assert_eq!(
            count_events(&session, &item.photo_id, "PhotoUploadCompleted").await,
            1,
            "{failpoint}"
        );
    }
    server.kill().await.unwrap();
    data_dir.assert_verified();
}

macro_rules! failpoints {
    ($($name:ident: $failpoint:literal),* $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            survives_crash_at($failpoint).await;
        }
    )* };
}

failpoints! {
    before_the_object_is_renamed: "s3.before-rename",
    after_the_object_is_renamed: "s3.after-rename",
    before_the_event_is_delivered: "s3.before-announce",
    after_the_event_is_delivered: "s3.after-announce",
    before_the_upload_is_committed: "intake.before-commit",
    after_the_upload_is_committed: "intake.after-commit",
    before_processing_is_committed: "look.before-commit",
    after_processing_is_committed: "look.after-commit",
    after_the_thumbnails_are_stored: "worker.after-thumbnails",
    before_the_final_commit: "worker.before-final-commit",
    after_the_final_commit: "worker.after-final-commit",
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rejection_is_recorded_once() {
    for failpoint in ["worker.before-final-commit", "worker.after-final-commit"] {
        let data_dir = DataDir::new();
        let mut server = data_dir.serve(&DataDir::options().aborting_at(failpoint)).await;
        let client = server.client().unwrap();
        client.register("reject@example.org", PASSWORD).await.unwrap();
        let session = client.log_in("reject@example.org", PASSWORD).await.unwrap();
        let text = bytes::Bytes::from_static(b"no photo at all");
        let (job_id, items) = declare(&session, &[jpeg(&text)]).await;
        // The response may arrive or be interrupted by the crash.
        let _ = session.put(&items[0], text.clone()).await;
        assert!(!server.wait().await.unwrap().success());

        let server = data_dir.serve(&DataDir::options()).await;
        let session = server
            .client()
            .unwrap()
            .log_in("reject@example.org", PASSWORD)
            .await
            .unwrap();
        let job = finished_job(&session, &job_id).await;
        assert_eq!(statuses(&job), [PhotoStatus::Rejected], "{failpoint}");
        assert_eq!(
            count_events(&session, &items[0].photo_id, "PhotoRejected").await,
            1,
            "{failpoint}"
        );
        server.kill().await.unwrap();
        data_dir.assert_verified();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_crashes_every_worker_fails() {
    let data_dir = DataDir::new();
    let bytes = photo(1);
    let aborting = DataDir::options().aborting_at("worker.after-thumbnails");
    let mut server = data_dir.serve(&aborting).await;
    let client = server.client().unwrap();
    client.register("killer@example.org", PASSWORD).await.unwrap();
    let session = client.log_in("killer@example.org", PASSWORD).await.unwrap();
    let (job_id, items) = declare(&session, &[jpeg(&bytes)]).await;
    // The response may arrive or be interrupted by the crash.
    let _ = session.put(&items[0], bytes.clone()).await;
    let mut exits = vec![server.wait().await.unwrap()];
    // Each server claims the photo once and aborts, possibly before it has reported that it is ready.
    // The first claim may have been beside other work, so that it does not count towards the limit of six.
    while exits.len() < 7 {
        exits.push(match Server::start(binary(), &data_dir.path(), &aborting).await {
            Ok(mut server) => server.wait().await.unwrap(),
            Err(error) => error.downcast::<ExitedEarly>().unwrap().status,
        });
    }
    for exit in exits {
        assert_eq!(exit.signal(), Some(SIGABRT), "{exit}");
    }
    let server = data_dir.serve(&aborting).await;
    let session = server
        .client()
        .unwrap()
        .log_in("killer@example.org", PASSWORD)
        .await
        .unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Failed]);
    assert_eq!(job.photos[0].reasons[0].code, "processing_error");
    server.kill().await.unwrap();
    data_dir.assert_verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_acknowledged_upload_of_a_batch() {
    let data_dir = DataDir::new();
    let server = data_dir.serve(&DataDir::options()).await;
    let email = "batch@example.org";
    server.client().unwrap().register(email, PASSWORD).await.unwrap();
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..12).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = declare(&session, &files).await;
    for (item, bytes) in items.iter().zip(&photos) {
        session.put(item, bytes.clone()).await.unwrap();
    }
    server.kill().await.unwrap();

    let server = data_dir.serve(&DataDir::options()).await;
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [PhotoStatus::Completed; 12],
        "every upload was acknowledged"
    );
    server.kill().await.unwrap();
    data_dir.assert_verified();
}
