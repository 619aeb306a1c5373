//! Killed between any two steps and started again: every photo reaches an end, nothing that was answered 200 is lost,
//! nothing has two results.

use std::os::unix::process::ExitStatusExt;

use rapidphoto_client::types::PhotoStatus;
use rapidphoto_testkit::{EndedEarly, PASSWORD, Server};

use crate::bench::{Bench, binary, count_events, ended, jpeg, photo, promise, statuses};

/// The signal of a process that aborts, as it does at a failpoint.
const SIGABRT: i32 = 6;

/// Kills the server at a step of the first upload, starts it again, and sees all photos through.
async fn survives_death_at(failpoint: &str) {
    let bench = Bench::new();
    let mut server = bench.serve(&Bench::options().dying_at(failpoint)).await;
    let client = server.client().unwrap();
    let email = format!("crash-{failpoint}@example.org");
    client.register(&email, PASSWORD).await.unwrap();
    let session = client.log_in(&email, PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..3).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = promise(&session, &files).await;
    // Some of these are answered, some are cut off with the process.
    let answered: Vec<bool> = {
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
    let status = server.ended().await.unwrap();
    assert!(!status.success(), "{failpoint} was not reached: {status}");

    let server = bench.serve(&Bench::options()).await;
    let session = server.client().unwrap().log_in(&email, PASSWORD).await.unwrap();
    // What was answered needs nothing more; what was not is sent again, as any client would.
    let again = session.job(&job_id).await.unwrap();
    for ((photo, bytes), answered) in again.photos.iter().zip(&photos).zip(&answered) {
        if *answered {
            continue;
        }
        let mut file = jpeg(bytes);
        file.upload_id = Some(photo.upload_id.clone());
        let repeated = session.create_job(&[file], None).await.unwrap();
        assert_eq!(
            repeated.items[0].photo_id, photo.photo_id,
            "a repeated request makes no second photo"
        );
        if repeated.items[0].presigned_url.is_some() {
            // The URL names the port that storage has now.
            session.put(&repeated.items[0], bytes.clone()).await.unwrap();
        }
    }
    let job = ended(&session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [PhotoStatus::Completed; 3],
        "{failpoint}, answered: {answered:?}\n{}",
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
    bench.assert_verified();
}

macro_rules! failpoints {
    ($($name:ident: $failpoint:literal),* $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            survives_death_at($failpoint).await;
        }
    )* };
}

failpoints! {
    before_the_object_is_renamed: "s3.before-rename",
    after_the_object_is_renamed: "s3.after-rename",
    before_the_object_is_announced: "s3.before-announce",
    after_the_object_is_announced: "s3.after-announce",
    before_the_announcement_is_committed: "intake.before-commit",
    after_the_announcement_is_committed: "intake.after-commit",
    before_processing_is_committed: "look.before-commit",
    after_processing_is_committed: "look.after-commit",
    after_the_thumbnails_are_stored: "worker.after-thumbnails",
    before_the_final_commit: "worker.before-final-commit",
    after_the_final_commit: "worker.after-final-commit",
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_that_is_interrupted_is_one_rejection() {
    for failpoint in ["worker.before-final-commit", "worker.after-final-commit"] {
        let bench = Bench::new();
        let mut server = bench.serve(&Bench::options().dying_at(failpoint)).await;
        let client = server.client().unwrap();
        client.register("reject@example.org", PASSWORD).await.unwrap();
        let session = client.log_in("reject@example.org", PASSWORD).await.unwrap();
        let text = bytes::Bytes::from_static(b"no photo at all");
        let (job_id, items) = promise(&session, &[jpeg(&text)]).await;
        // The answer may come before or after the end.
        let _ = session.put(&items[0], text.clone()).await;
        assert!(!server.ended().await.unwrap().success());

        let server = bench.serve(&Bench::options()).await;
        let session = server
            .client()
            .unwrap()
            .log_in("reject@example.org", PASSWORD)
            .await
            .unwrap();
        let job = ended(&session, &job_id).await;
        assert_eq!(statuses(&job), [PhotoStatus::Rejected], "{failpoint}");
        assert_eq!(
            count_events(&session, &items[0].photo_id, "PhotoRejected").await,
            1,
            "{failpoint}"
        );
        server.kill().await.unwrap();
        bench.assert_verified();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_kills_every_worker_fails_and_takes_no_other_with_it() {
    let bench = Bench::new();
    let bytes = photo(1);
    let dying = Bench::options().dying_at("worker.after-thumbnails");
    let mut server = bench.serve(&dying).await;
    let client = server.client().unwrap();
    client.register("killer@example.org", PASSWORD).await.unwrap();
    let session = client.log_in("killer@example.org", PASSWORD).await.unwrap();
    let (job_id, items) = promise(&session, &[jpeg(&bytes)]).await;
    // The answer may come before or after the end.
    let _ = session.put(&items[0], bytes.clone()).await;
    let mut ends = vec![server.ended().await.unwrap()];
    // Each start claims it once, and dies of it: it may be before the server has said that it is ready.
    while ends.len() < 6 {
        ends.push(match Server::start(binary(), &bench.data_dir(), &dying).await {
            Ok(mut server) => server.ended().await.unwrap(),
            Err(early) => early.downcast::<EndedEarly>().unwrap().status,
        });
    }
    for end in ends {
        assert_eq!(end.signal(), Some(SIGABRT), "{end}");
    }
    let server = bench.serve(&dying).await;
    let session = server
        .client()
        .unwrap()
        .log_in("killer@example.org", PASSWORD)
        .await
        .unwrap();
    let job = ended(&session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Failed]);
    assert_eq!(job.photos[0].reasons[0].code, "processing_error");
    server.kill().await.unwrap();
    bench.assert_verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_in_the_middle_of_a_batch_goes_on_where_it_was() {
    let bench = Bench::new();
    let server = bench.serve(&Bench::options()).await;
    let email = "batch@example.org";
    server.client().unwrap().register(email, PASSWORD).await.unwrap();
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let photos: Vec<_> = (0..12).map(photo).collect();
    let files: Vec<_> = photos.iter().map(jpeg).collect();
    let (job_id, items) = promise(&session, &files).await;
    for (item, bytes) in items.iter().zip(&photos) {
        session.put(item, bytes.clone()).await.unwrap();
    }
    server.kill().await.unwrap();

    let server = bench.serve(&Bench::options()).await;
    let session = server.client().unwrap().log_in(email, PASSWORD).await.unwrap();
    let job = ended(&session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [PhotoStatus::Completed; 12],
        "every one of them was answered 200"
    );
    server.kill().await.unwrap();
    bench.assert_verified();
}
