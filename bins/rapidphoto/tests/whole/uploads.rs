//! Uploads that match their declaration, and uploads that do not.

use bytes::Bytes;
use rapidphoto_client::{
    ClientError,
    types::{DeclaredChecksum, FileRequest, PhotoStatus, ProgressTick},
};
use rapidphoto_sample_photos::{Orientation, SamplePhoto, text_named_jpg, truncated};
use rapidphoto_testkit::{Server, new_user};
use sha2::{Digest, Sha256};

use crate::fixtures::{
    DataDir, codes, count_events, declare, files_below, finished_job, jpeg, photo, statuses,
};

fn sha256(bytes: &[u8]) -> DeclaredChecksum {
    DeclaredChecksum {
        algo: "sha256".to_owned(),
        value: hex::encode(Sha256::digest(bytes)),
    }
}

fn status_of(error: &ClientError) -> u16 {
    match error {
        ClientError::Storage { status, .. } => *status,
        other => panic!("the storage should have rejected the upload: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_photo_has_all_its_metadata() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let sample = SamplePhoto::new(7, 1600, 1200).turned(Orientation::ALL[5]);
    let bytes = Bytes::from(sample.jpeg());
    let mut file = jpeg(&bytes);
    file.filename = "Überm Meer.jpg".to_owned();
    file.checksum = Some(sha256(&bytes));
    let (job_id, items) = declare(session, &[file]).await;
    session.put(&items[0], bytes.clone()).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
    assert_eq!((job.percent, job.poll_after_ms, job.completed_count), (100, 0, 1));

    let details = session.photo(&items[0].photo_id).await.unwrap();
    assert_eq!(
        (details.width, details.height),
        (Some(1600), Some(1200)),
        "size after applying the orientation"
    );
    assert_eq!(details.checksum, Some(sha256(&bytes)));
    assert_eq!(
        details.camera.and_then(|camera| camera.model),
        Some(sample.camera().model.to_owned())
    );
    let sizes: Vec<_> = details
        .thumbnails
        .iter()
        .map(|thumbnail| (thumbnail.edge, thumbnail.width, thumbnail.height))
        .collect();
    assert_eq!(sizes, [(256, 256, 192), (1024, 1024, 768)]);
    for thumbnail in &details.thumbnails {
        let fetched = reqwest::get(&thumbnail.url).await.unwrap();
        assert_eq!(fetched.headers()["content-type"], "image/jpeg");
        assert_eq!(fetched.headers()["x-content-type-options"], "nosniff");
        assert!(fetched.bytes().await.unwrap().starts_with(&[0xff, 0xd8, 0xff]));
    }
    let download = session
        .download_url(&items[0].photo_id, "original")
        .await
        .unwrap();
    let fetched = reqwest::get(&download.url).await.unwrap();
    let disposition = fetched.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        disposition.starts_with("attachment") && disposition.contains("%C3%9Cberm%20Meer.jpg"),
        "{disposition}"
    );
    assert_eq!(fetched.bytes().await.unwrap(), bytes);
    for event in [
        "PhotoQueued",
        "PhotoUploadCompleted",
        "PhotoProcessingStarted",
        "PhotoProcessingCompleted",
    ] {
        assert_eq!(
            count_events(session, &items[0].photo_id, event).await,
            1,
            "{event}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_rejects_uploads_that_differ_from_their_declaration() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(1);
    let mut file = jpeg(&bytes);
    file.checksum = Some(sha256(&bytes));
    let (job_id, items) = declare(session, &[file]).await;
    let item = &items[0];

    let shorter = session.put(item, bytes.slice(1..)).await.unwrap_err();
    assert_eq!(status_of(&shorter), 403, "the signed length differs");
    let mut other_type = item.clone();
    let signed = other_type
        .headers
        .keys()
        .find(|name| name.eq_ignore_ascii_case("content-type"))
        .unwrap()
        .clone();
    other_type.headers.insert(signed, "text/html".to_owned());
    assert_eq!(
        status_of(&session.put(&other_type, bytes.clone()).await.unwrap_err()),
        403,
        "the signed type differs"
    );
    let mut replacing = item.clone();
    replacing
        .headers
        .retain(|name, _| !name.eq_ignore_ascii_case("if-none-match"));
    assert_eq!(
        status_of(&session.put(&replacing, bytes.clone()).await.unwrap_err()),
        403,
        "the signed header If-None-Match is missing"
    );
    let mut damaged = bytes.to_vec();
    damaged[200] ^= 1;
    let damaged = session.put(item, damaged.into()).await.unwrap_err();
    assert_eq!(status_of(&damaged), 400, "the declared checksum differs");

    // Nothing was stored, and the URL is still valid.
    assert_eq!(
        statuses(&session.job(&job_id).await.unwrap()),
        [PhotoStatus::Queued]
    );
    session.put(item, bytes.clone()).await.unwrap();
    assert_eq!(
        statuses(&finished_job(session, &job_id).await),
        [PhotoStatus::Completed]
    );

    // A second upload never changes a finished photo; the storage responds that the object exists.
    session.put(item, bytes).await.unwrap();
    assert_eq!(
        count_events(session, &item.photo_id, "PhotoProcessingCompleted").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_photos_are_rejected_with_all_reasons() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let text = Bytes::from(text_named_jpg().1);
    let cut = Bytes::copy_from_slice(truncated(&photo(2), 2, 3));
    let files = [jpeg(&text), jpeg(&cut)];
    let (job_id, items) = declare(session, &files).await;
    session.put(&items[0], text).await.unwrap();
    session.put(&items[1], cut).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Rejected; 2]);
    assert!(
        codes(&job.photos[0]).contains(&"unsupported_format"),
        "{:?}",
        job.photos[0]
    );
    assert!(codes(&job.photos[1]).contains(&"corrupt"), "{:?}", job.photos[1]);
    let rejected = session
        .download_url(&items[0].photo_id, "original")
        .await
        .unwrap_err();
    assert_eq!(rejected.code(), Some("photo_not_completed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_an_invalid_file_is_rejected_as_a_whole() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let valid = jpeg(&photo(1));
    let empty = FileRequest {
        bytes: 0,
        ..valid.clone()
    };
    let traversal = FileRequest {
        filename: "../../etc/passwd.jpg".to_owned(),
        ..valid.clone()
    };
    let html = FileRequest {
        mime_type: "text/html".to_owned(),
        ..valid.clone()
    };
    let error = running
        .session
        .create_job(&[valid, empty, traversal, html], None)
        .await
        .unwrap_err();
    let ClientError::Problem(problem) = error else {
        panic!("{error:?}")
    };
    assert_eq!(problem.status, 422);
    let pointers: Vec<_> = problem
        .errors
        .iter()
        .map(|error| error.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/files/1/bytes", "/files/2/filename", "/files/3/mimeType"]
    );
    assert!(running.session.photos(&[]).await.unwrap().items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_upload_without_an_object_fails_and_can_still_be_uploaded() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(3);
    let (job_id, items) = declare(session, &[jpeg(&bytes)]).await;
    session.finalize(&items[0].photo_id).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert_eq!(codes(&job.photos[0]), ["upload_missing"]);
    // The URL is still valid: a late upload reopens the job.
    session.put(&items[0], bytes).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
    assert_eq!(count_events(session, &items[0].photo_id, "PhotoRetried").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_and_deleted_photos_leave_no_objects() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(4);
    let (job_id, items) = declare(session, &[jpeg(&bytes), jpeg(&bytes)]).await;
    session.put(&items[0], bytes.clone()).await.unwrap();
    session.cancel_job(&job_id).await.unwrap();
    let job = finished_job(session, &job_id).await;
    assert!(job.cancelled_count >= 1, "{job:?}");
    // An object uploaded after the cancellation, with a URL that is still valid, is deleted too.
    session.put(&items[1], bytes).await.unwrap();
    for item in &items {
        let mut deleted = session.delete_photo(&item.photo_id).await.unwrap();
        if !deleted.deleted {
            deleted = session.delete_photo(&item.photo_id).await.unwrap();
        }
        assert!(deleted.deleted);
        assert_eq!(
            session.photo(&item.photo_id).await.unwrap_err().code(),
            Some("no_such_photo")
        );
    }
    let objects = data_dir.path().join("objects/buckets");
    let until_deleted = async {
        while files_below(&objects) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), until_deleted)
        .await
        .expect("objects were not deleted within 30 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_in_progress_are_counted_until_they_are_stored() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let (small, large) = (photo(8), photo(9));
    let (job_id, items) = declare(session, &[jpeg(&small), jpeg(&large)]).await;
    let ticks: Vec<_> = items
        .iter()
        .map(|item| ProgressTick {
            photo_id: item.photo_id.clone(),
            bytes_sent: 1,
            bytes_total: small.len() as u64,
        })
        .collect();
    session.report_progress(&ticks).await.unwrap();
    let gauge_is = async |count: &str| {
        let metrics = reqwest::get(format!("{}/metrics", running.server.api()));
        let metrics = metrics.await.unwrap().text().await.unwrap();
        metrics
            .lines()
            .any(|line| line == format!("rapidphoto_upload_inflight {count}"))
    };
    assert!(gauge_is("2").await);
    for (item, bytes) in items.iter().zip([small, large]) {
        session.put(item, bytes).await.unwrap();
    }
    finished_job(session, &job_id).await;
    let until_zero = async {
        while !gauge_is("0").await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), until_zero)
        .await
        .expect("finished uploads are still counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_can_neither_read_nor_change_photos_of_others() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let ada = &running.session;
    let server: &Server = &running.server;
    let eve = new_user(&server.client().unwrap()).await.unwrap();
    let (job_id, items) = declare(ada, &[jpeg(&photo(1))]).await;
    let photo_id = &items[0].photo_id;
    let errors = [
        eve.job(&job_id).await.unwrap_err(),
        eve.cancel_job(&job_id).await.unwrap_err(),
        eve.photo(photo_id).await.unwrap_err(),
        eve.finalize(photo_id).await.unwrap_err(),
        eve.delete_photo(photo_id).await.unwrap_err(),
        eve.history(photo_id).await.unwrap_err(),
        eve.download_url(photo_id, "original").await.unwrap_err(),
        eve.watch_job(&job_id).next().await.unwrap_err(),
    ];
    for error in &errors {
        assert!(
            matches!(error.code(), Some("no_such_job" | "no_such_photo")),
            "{error}"
        );
    }
    assert_eq!(statuses(&ada.job(&job_id).await.unwrap()), [PhotoStatus::Queued]);
}
