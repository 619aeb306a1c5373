use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use rapidphoto_api_types::{
    AddTagsRequest, CreateJobRequest, CreateJobResponse, Credentials, DownloadUrl, FileRequest, JobCancelled,
    JobItem, JobSnapshot, Page, Photo, PhotoDeleted, PhotoHistory, PhotoTags, Problem, ProgressAccepted,
    ProgressRequest, ProgressTick, Strategy, TokenRequest, Tokens, UploadState,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header::CONTENT_LENGTH};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::{
    client::Client,
    error::ClientError,
    request::{check_status, parse_json, send_json},
};

/// Login of a user. Expired access tokens are renewed automatically; clones share the tokens.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) client: Client,
    pub(crate) tokens: Arc<Mutex<Tokens>>,
}

impl Client {
    /// Logs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<Session, ClientError> {
        let body = Credentials {
            email: email.to_owned(),
            password: password.to_owned(),
            scope: None,
        };
        let tokens: Tokens = send_json(
            self.request(Method::POST, &["commands", "auth", "login"])
                .json(&body),
        )
        .await?;
        Ok(Session {
            client: self.clone(),
            tokens: Arc::new(Mutex::new(tokens)),
        })
    }
}

impl Session {
    /// Creates a job for a list of files. A repeated call with the same `idempotency_key` returns the same job.
    pub async fn create_job(
        &self,
        files: &[FileRequest],
        idempotency_key: Option<&str>,
    ) -> Result<CreateJobResponse, ClientError> {
        let body = CreateJobRequest {
            files: files.to_vec(),
            strategy: Strategy::Auto,
            part_size: None,
            dedupe: false,
        };
        self.call(|| {
            let request = self
                .client
                .request(Method::POST, &["commands", "upload-jobs"])
                .json(&body);
            match idempotency_key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            }
        })
        .await
    }

    /// Uploads a file directly to storage. If the object already exists, an earlier upload has succeeded, and this one
    /// succeeds, too.
    pub async fn put(&self, item: &JobItem, bytes: Bytes) -> Result<(), ClientError> {
        self.put_with_progress(item, bytes, |_| {}).await
    }

    /// Uploads a file like [`Session::put`], and calls `sent` with the number of bytes sent so far.
    pub async fn put_with_progress(
        &self,
        item: &JobItem,
        bytes: Bytes,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), ClientError> {
        let url = item
            .presigned_url
            .as_ref()
            .ok_or_else(|| ClientError::NoUploadUrl(item.photo_id.clone()))?;
        let length = bytes.len();
        let body = reqwest::Body::wrap_stream(chunks(bytes, sent));
        // A stream has no known length, and storage requires the signed one.
        let mut request = self
            .client
            .http
            .put(url)
            .header(CONTENT_LENGTH, length)
            .body(body);
        for (name, value) in &item.headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() || status == StatusCode::PRECONDITION_FAILED {
            return Ok(());
        }
        let body = response.text().await?.chars().take(400).collect();
        Err(ClientError::Storage {
            status: status.as_u16(),
            body,
        })
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

    /// Cancels a job.
    pub async fn cancel_job(&self, job_id: &str) -> Result<JobCancelled, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload-jobs", job_id, "cancel"])
        })
        .await
    }

    /// Adds labels to the tags of a photo.
    pub async fn add_tags(&self, photo_id: &str, labels: &[String]) -> Result<PhotoTags, ClientError> {
        let body = AddTagsRequest {
            labels: labels.to_vec(),
        };
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "photos", photo_id, "tags"])
                .json(&body)
        })
        .await
    }

    /// Removes a label from the tags of a photo.
    pub async fn remove_tag(&self, photo_id: &str, label: &str) -> Result<PhotoTags, ClientError> {
        self.call(|| {
            self.client
                .request(Method::DELETE, &["commands", "photos", photo_id, "tags", label])
        })
        .await
    }

    /// Deletes a photo if it is terminal; otherwise only cancels it.
    pub async fn delete_photo(&self, photo_id: &str) -> Result<PhotoDeleted, ClientError> {
        self.call(|| {
            self.client
                .request(Method::DELETE, &["commands", "photos", photo_id])
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

    /// Returns a photo with its metadata.
    pub async fn photo(&self, photo_id: &str) -> Result<Photo, ClientError> {
        self.call(|| self.client.request(Method::GET, &["queries", "photos", photo_id]))
            .await
    }

    /// Returns a page of the user's photos; `query` contains query parameters, such as `("size", "20")`.
    pub async fn photos(&self, query: &[(&str, &str)]) -> Result<Page<Photo>, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos"])
                .query(query)
        })
        .await
    }

    /// Returns a presigned URL for the download of a variant of a photo: `original`, `256` or `1024`.
    pub async fn download_url(&self, photo_id: &str, variant: &str) -> Result<DownloadUrl, ClientError> {
        let path = ["queries", "photos", photo_id, "download-url"];
        self.call(|| {
            self.client
                .request(Method::GET, &path)
                .query(&[("variant", variant)])
        })
        .await
    }

    /// Returns the events of a photo.
    pub async fn history(&self, photo_id: &str) -> Result<PhotoHistory, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos", photo_id, "history"])
        })
        .await
    }

    /// Opens the event stream of a job, after the event `last` if there is one.
    pub(crate) async fn open_stream(
        &self,
        job_id: &str,
        last: Option<&str>,
    ) -> Result<Response, ClientError> {
        let path = ["queries", "upload-jobs", job_id, "events"];
        self.send(|| {
            let request = self
                .client
                .request(Method::GET, &path)
                .header("Accept", "text/event-stream");
            match last {
                Some(id) => request.header("Last-Event-ID", id),
                None => request,
            }
        })
        .await
    }

    /// Logs out; the refresh tokens of the login are revoked.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        let refresh_token = self.tokens.lock().await.refresh_token.clone();
        let request = self.client.request(Method::POST, &["commands", "auth", "logout"]);
        check_status(request.json(&TokenRequest { refresh_token }).send().await?)
            .await
            .map(drop)
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        let body = self.send(request).await?.bytes().await?;
        parse_json(&body)
    }

    /// Sends a request, and sends it again with a new access token if the present one is not accepted.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, ClientError> {
        let token = self.tokens.lock().await.access_token.clone();
        match check_status(request().bearer_auth(&token).send().await?).await {
            Err(ClientError::Problem(problem)) if problem.status == 401 => {
                let token = self.renew(&token, problem).await?;
                check_status(request().bearer_auth(token).send().await?).await
            }
            other => other,
        }
    }

    /// Renews the access token, unless a concurrent call has already renewed it. If the refresh token is rejected, the
    /// error is the problem of the original request.
    async fn renew(&self, used: &str, problem: Box<Problem>) -> Result<String, ClientError> {
        let mut tokens = self.tokens.lock().await;
        if tokens.access_token == used {
            let body = TokenRequest {
                refresh_token: tokens.refresh_token.clone(),
            };
            let request = self
                .client
                .request(Method::POST, &["commands", "auth", "refresh"])
                .json(&body);
            *tokens = match send_json(request).await {
                Err(ClientError::Problem(_)) => return Err(ClientError::Problem(problem)),
                other => other?,
            };
        }
        Ok(tokens.access_token.clone())
    }
}

/// Chunk size of uploads, in bytes; progress is reported after every chunk.
const CHUNK_BYTES: usize = 128 * 1024;

fn chunks(
    mut bytes: Bytes,
    sent: impl Fn(u64) + Send + 'static,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
    let mut so_far = 0;
    futures::stream::iter(std::iter::from_fn(move || {
        sent(so_far);
        if bytes.is_empty() {
            return None;
        }
        let chunk = bytes.split_to(CHUNK_BYTES.min(bytes.len()));
        so_far += chunk.len() as u64;
        Some(Ok(chunk))
    }))
}
