use rapidphoto_api_types::{
    CreateJobRequest, CreateJobResponse, FileRequest, JobCancelled, JobItem, JobSnapshot, JobSummary, Page,
    ProgressAccepted, ProgressRequest, ProgressTick, RenewedUpload, Strategy, UploadState,
};
use reqwest::Method;

use crate::{error::ClientError, session::Session};

/// Upload jobs.
impl Session {
    /// Creates a job for a list of files. A repeated call with the same `idempotency_key` returns the same job.
    pub async fn create_job(
        &self,
        files: &[FileRequest],
        idempotency_key: Option<&str>,
    ) -> Result<CreateJobResponse, ClientError> {
        let request = CreateJobRequest {
            files: files.to_vec(),
            strategy: Strategy::Auto,
            part_size: None,
            dedupe: false,
        };
        self.create_job_from(&request, idempotency_key).await
    }

    /// Creates a job like [`Session::create_job`], with all options.
    pub async fn create_job_from(
        &self,
        body: &CreateJobRequest,
        idempotency_key: Option<&str>,
    ) -> Result<CreateJobResponse, ClientError> {
        self.call(|| {
            let request = self
                .client
                .request(Method::POST, &["commands", "upload-jobs"])
                .json(body);
            match idempotency_key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            }
        })
        .await
    }

    /// Returns the state of a job and its photos.
    pub async fn job(&self, job_id: &str) -> Result<JobSnapshot, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "upload-jobs", job_id])
        })
        .await
    }

    /// Returns a page of the user's jobs; `query` contains query parameters, such as `("size", "20")`.
    pub async fn jobs(&self, query: &[(&str, &str)]) -> Result<Page<JobSummary>, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "upload-jobs"])
                .query(query)
        })
        .await
    }

    /// Reports the progress of uploads.
    pub async fn report_progress(&self, ticks: &[ProgressTick]) -> Result<ProgressAccepted, ClientError> {
        let body = ProgressRequest::Many(ticks.to_vec());
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", "progress"])
                .json(&body)
        })
        .await
    }

    /// Reports the upload of a photo as complete.
    pub async fn finalize(&self, photo_id: &str) -> Result<UploadState, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", photo_id, "finalize"])
        })
        .await
    }

    /// Returns the item of a photo with fresh URLs.
    pub async fn renew_upload(&self, photo_id: &str) -> Result<JobItem, ClientError> {
        let renewed: RenewedUpload = self
            .call(|| {
                self.client
                    .request(Method::POST, &["commands", "upload", photo_id, "renew"])
            })
            .await?;
        Ok(renewed.item)
    }

    /// Cancels a job.
    pub async fn cancel_job(&self, job_id: &str) -> Result<JobCancelled, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload-jobs", job_id, "cancel"])
        })
        .await
    }
}
