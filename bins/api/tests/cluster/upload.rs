//! Uploads of a client that repeats what fails.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use rapidphoto_client::{
    ClientError, Session,
    types::{CreateJobResponse, FileRequest, JobSnapshot},
};
use rapidphoto_sample_photos::SamplePhoto;

/// Time for a job under faults; a debug build on a busy machine needs minutes.
const LIMIT: Duration = Duration::from_mins(6);

/// Small photos, different for each seed.
pub(crate) fn photos(first_seed: usize, count: usize) -> Vec<Bytes> {
    (first_seed..first_seed + count)
        .map(|seed| SamplePhoto::new(seed as u64, 160, 120).jpeg().into())
        .collect()
}

fn file(number: usize, bytes: &Bytes) -> FileRequest {
    FileRequest {
        filename: format!("photo-{number}.jpg"),
        mime_type: "image/jpeg".to_owned(),
        bytes: bytes.len() as u64,
        upload_id: Some(format!("{number:08x}-0000-4000-8000-{number:012x}")),
        checksum: None,
    }
}

/// Creates a job and uploads its photos. What fails is repeated, as the documentation tells clients to.
pub(crate) async fn upload(session: &Session, photos: &[Bytes], first: usize) -> String {
    let files: Vec<_> = photos
        .iter()
        .enumerate()
        .map(|(number, bytes)| file(first + number, bytes))
        .collect();
    let CreateJobResponse { job_id, items } = repeated(|| session.create_job(&files, None)).await;
    let job_id = job_id.expect("new files make a job");
    stream::iter(items.iter().zip(photos).zip(&files))
        .for_each_concurrent(8, |((item, bytes), file)| async move {
            let mut item = item.clone();
            while item.presigned_url.is_some() && session.put(&item, bytes.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(300)).await;
                // A new URL, if the upload is still missing.
                let again = repeated(|| session.create_job(std::slice::from_ref(file), None)).await;
                item = again.items[0].clone();
            }
        })
        .await;
    job_id
}

/// Waits until every photo of a job is in a final state.
pub(crate) async fn finished(session: &Session, job: &str) -> JobSnapshot {
    let finished = async {
        loop {
            let job = repeated(|| session.job(job)).await;
            if job.status.is_terminal() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(LIMIT, finished)
        .await
        .expect("the job does not end")
}

/// Repeats a request until it succeeds.
pub(crate) async fn repeated<T, F>(mut request: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, ClientError>>,
{
    let attempts = async {
        loop {
            match request().await {
                Ok(response) => return response,
                Err(ClientError::Problem(problem)) if problem.status < 500 && problem.status != 429 => {
                    panic!("a request is refused: {problem:?}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, attempts)
        .await
        .expect("a request does not succeed")
}
