use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use rapidphoto_api_types::{
    CreateJobRequest, CreateJobResponse, DownloadUrl, FileRequest, JobCancelled, JobItem, JobSnapshot, Page,
    Photo, PhotoDeleted, PhotoHistory, Problem, ProgressAccepted, ProgressRequest, ProgressTick, Strategy,
    TokenRequest, Tokens, UploadState,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header::CONTENT_LENGTH};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::{
    Client, ClientError, JobWatch,
    request::{accepted, answer},
};

/// A user who is logged in. Access tokens are renewed when they run out; clones share them.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    tokens: Arc<Mutex<Tokens>>,
}

impl Session {
    pub(crate) fn new(client: Client, tokens: Tokens) -> Self {
        Self {
            client,
            tokens: Arc::new(Mutex::new(tokens)),
        }
    }

    /// Promises a batch of files. The same `idempotency_key` gives the same job again.
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

    /// Sends a file's bytes straight to storage. That the object is there already is success, too: then somebody has
    /// sent it before.
    pub async fn put(&self, item: &JobItem, bytes: Bytes) -> Result<(), ClientError> {
        self.put_counted(item, bytes, |_| {}).await
    }

    /// The same, telling how many bytes have left so far.
    pub async fn put_counted(
        &self,
        item: &JobItem,
        bytes: Bytes,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), ClientError> {
        let url = item
            .presigned_url
            .as_ref()
            .ok_or_else(|| ClientError::NotWanted(item.photo_id.clone()))?;
        let length = bytes.len();
        let body = reqwest::Body::wrap_stream(pieces(bytes, sent));
        // A stream has no length of its own, and storage wants exactly the one that was signed.
        let mut request = self
            .client
            .http
            .put(url)
            .header(CONTENT_LENGTH, length)
            .body(body);
        for (name, value) in &item.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::PRECONDITION_FAILED {
            return Ok(());
        }
        let body = answer.text().await?.chars().take(400).collect();
        Err(ClientError::Storage {
            status: status.as_u16(),
            body,
        })
    }

    /// Tells how far uploads are.
    pub async fn report_progress(&self, ticks: &[ProgressTick]) -> Result<ProgressAccepted, ClientError> {
        let body = ProgressRequest::Many(ticks.to_vec());
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", "progress"])
                .json(&body)
        })
        .await
    }

    /// Says that a photo's bytes are all sent.
    pub async fn finalize(&self, photo_id: &str) -> Result<UploadState, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", photo_id, "finalize"])
        })
        .await
    }

    /// Gives a whole job up.
    pub async fn cancel_job(&self, job_id: &str) -> Result<JobCancelled, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload-jobs", job_id, "cancel"])
        })
        .await
    }

    /// Cancels a photo on its way, deletes one that is at an end.
    pub async fn delete_photo(&self, photo_id: &str) -> Result<PhotoDeleted, ClientError> {
        self.call(|| {
            self.client
                .request(Method::DELETE, &["commands", "photos", photo_id])
        })
        .await
    }

    /// How a job stands.
    pub async fn job(&self, job_id: &str) -> Result<JobSnapshot, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "upload-jobs", job_id])
        })
        .await
    }

    /// Everything that is known of a photo.
    pub async fn photo(&self, photo_id: &str) -> Result<Photo, ClientError> {
        self.call(|| self.client.request(Method::GET, &["queries", "photos", photo_id]))
            .await
    }

    /// A page of the user's photos; `query` holds the list's parameters, such as `("size", "20")`.
    pub async fn photos(&self, query: &[(&str, &str)]) -> Result<Page<Photo>, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos"])
                .query(query)
        })
        .await
    }

    /// Where to fetch a photo: `original`, `256` or `1024`.
    pub async fn download_url(&self, photo_id: &str, variant: &str) -> Result<DownloadUrl, ClientError> {
        let path = ["queries", "photos", photo_id, "download-url"];
        self.call(|| {
            self.client
                .request(Method::GET, &path)
                .query(&[("variant", variant)])
        })
        .await
    }

    /// What happened to a photo.
    pub async fn history(&self, photo_id: &str) -> Result<PhotoHistory, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos", photo_id, "history"])
        })
        .await
    }

    /// Watches a job live, from its present state on.
    pub fn watch_job(&self, job_id: &str) -> JobWatch {
        JobWatch::new(self.clone(), job_id.to_owned())
    }

    /// Opens a job's stream, after an event where one is named.
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

    /// Ends the login; its refresh tokens are good no longer.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        let refresh_token = self.tokens.lock().await.refresh_token.clone();
        let request = self.client.request(Method::POST, &["commands", "auth", "logout"]);
        accepted(request.json(&TokenRequest { refresh_token }).send().await?)
            .await
            .map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        let body = self.send(request).await?.bytes().await?;
        serde_json::from_slice(&body).map_err(ClientError::Unintelligible)
    }

    /// Sends with the present token, and once more with a new one if that has run out.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, ClientError> {
        let token = self.tokens.lock().await.access_token.clone();
        match accepted(request().bearer_auth(&token).send().await?).await {
            Err(ClientError::Refused(problem)) if problem.status == 401 => {
                let token = self.renew(&token, problem).await?;
                accepted(request().bearer_auth(token).send().await?).await
            }
            other => other,
        }
    }

    /// One caller renews, the others find the new token there.
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
            *tokens = match answer(request).await {
                Err(ClientError::Refused(_)) => return Err(ClientError::Refused(problem)),
                other => other?,
            };
        }
        Ok(tokens.access_token.clone())
    }
}

/// How many bytes are handed to the connection at once.
const PIECE: usize = 128 * 1024;

fn pieces(
    mut bytes: Bytes,
    sent: impl Fn(u64) + Send + 'static,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
    let mut so_far = 0;
    futures::stream::iter(std::iter::from_fn(move || {
        sent(so_far);
        if bytes.is_empty() {
            return None;
        }
        let piece = bytes.split_to(PIECE.min(bytes.len()));
        so_far += piece.len() as u64;
        Some(Ok(piece))
    }))
}
