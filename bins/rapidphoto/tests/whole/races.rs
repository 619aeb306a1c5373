//! Fifty concurrent repetitions of one request.

use std::collections::BTreeSet;

use futures::future::join_all;
use rapidphoto_client::types::PhotoStatus;

use crate::fixtures::{DataDir, count_events, declare, finished_job, jpeg, photo, statuses};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_finalize_requests_and_the_storage_event_have_one_result() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(1);
    let (job_id, items) = declare(session, &[jpeg(&bytes)]).await;
    let item = &items[0];
    let put = session.put(item, bytes.clone());
    let finalize = join_all((0..50).map(|_| session.finalize(&item.photo_id)));
    let (put, finalized) = tokio::join!(put, finalize);
    put.unwrap();
    for answer in finalized {
        assert_eq!(answer.unwrap().photo_id, item.photo_id);
    }
    // A finalize request may precede the object; then the storage is checked again.
    let job = finished_job(session, &job_id).await;
    assert_eq!(statuses(&job), [PhotoStatus::Completed]);
    assert_eq!(
        count_events(session, &item.photo_id, "PhotoUploadCompleted").await,
        1
    );
    assert_eq!(
        count_events(session, &item.photo_id, "PhotoProcessingCompleted").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_requests_with_one_upload_id_create_one_photo() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let bytes = photo(1);
    let mut file = jpeg(&bytes);
    file.upload_id = Some("4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11".to_owned());
    let files = [file];
    let jobs = join_all((0..50).map(|_| session.create_job(&files, None))).await;
    let photos: BTreeSet<String> = jobs
        .into_iter()
        .map(|job| job.unwrap().items[0].photo_id.clone())
        .collect();
    assert_eq!(photos.len(), 1);
    assert_eq!(session.photos(&[]).await.unwrap().items.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_requests_with_one_idempotency_key_create_one_job() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let session = &running.session;
    let files: Vec<_> = (0..5).map(photo).map(|bytes| jpeg(&bytes)).collect();
    let jobs = join_all((0..50).map(|_| session.create_job(&files, Some("same request")))).await;
    let jobs: Vec<_> = jobs.into_iter().map(Result::unwrap).collect();
    let ids: BTreeSet<_> = jobs.iter().map(|job| job.job_id.clone().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    let photos: BTreeSet<_> = jobs
        .iter()
        .flat_map(|job| job.items.iter().map(|item| item.photo_id.clone()))
        .collect();
    assert_eq!(photos.len(), 5);
    assert!(
        jobs.iter()
            .all(|job| job.items.iter().all(|item| item.presigned_url.is_some()))
    );
    let other = session
        .create_job(&files[..1], Some("same request"))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Some("idempotency_key_reused"));
}
