use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rapidphoto_api_types::JobItem;
use reqwest::{
    Body, Response, StatusCode,
    header::{CONTENT_LENGTH, ETAG},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{content::Content, error::ClientError, request::retry_after, session::Session};

/// Time without a byte sent, or without a response after the last one, that ends a transfer.
const MAX_STALL: Duration = Duration::from_mins(1);
/// Simultaneous requests of a transfer that shares no limit with others.
const DEFAULT_SLOTS: usize = 4;

/// Progress of one upload, and the limit of simultaneous requests to storage that it shares with others. Clones are the same
/// transfer.
#[derive(Debug, Clone)]
pub struct Transfer {
    slots: Arc<Semaphore>,
    sent: Arc<AtomicU64>,
}

impl Transfer {
    /// A transfer whose requests take their turns with all others of `slots`.
    pub fn new(slots: Arc<Semaphore>) -> Self {
        Self {
            slots,
            sent: Arc::default(),
        }
    }

    /// Bytes sent, including those that were in storage before. Decreases if a request fails.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    fn subtract(&self, bytes: u64) {
        self.sent.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Waits for a turn. A closed semaphore limits nothing.
    pub(crate) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }
}

impl Default for Transfer {
    fn default() -> Self {
        Self::new(Arc::new(Semaphore::new(DEFAULT_SLOTS)))
    }
}

/// Signed request to storage without its content.
pub(crate) struct Put<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: &'a BTreeMap<String, String>,
}

impl Session {
    /// Uploads a file directly to storage in one request, once. If the object already exists, an earlier upload has succeeded,
    /// and this one succeeds, too. [`Session::upload`] does more.
    pub async fn put(&self, item: &JobItem, bytes: Bytes) -> Result<(), ClientError> {
        let content = Content::Memory(bytes);
        let range = 0..content.bytes();
        let transfer = Transfer::default();
        self.put_range(&Put::of(item)?, &content, range, &transfer)
            .await
            .map(drop)
    }

    /// Sends a range of a content. Returns the entity tag, if storage gave one.
    pub(crate) async fn put_range(
        &self,
        put: &Put<'_>,
        content: &Content,
        range: Range<u64>,
        transfer: &Transfer,
    ) -> Result<Option<String>, ClientError> {
        let attempt = Arc::new(Attempt::default());
        let sent = self.send_range(put, content, range, transfer, &attempt).await;
        sent.map_err(|error| {
            transfer.subtract(attempt.sent.swap(0, Ordering::Relaxed));
            let unreadable = attempt.unreadable.lock().ok().and_then(|mut error| error.take());
            unreadable.map_or(error, ClientError::File)
        })
    }

    async fn send_range(
        &self,
        put: &Put<'_>,
        content: &Content,
        range: Range<u64>,
        transfer: &Transfer,
        attempt: &Arc<Attempt>,
    ) -> Result<Option<String>, ClientError> {
        let length = range.end.saturating_sub(range.start);
        let reader = content.open(range).await?;
        let state = (reader, transfer.clone(), Arc::clone(attempt));
        let body = futures::stream::try_unfold(state, |(mut reader, transfer, attempt)| async {
            let chunk = reader.chunk().await.map_err(|error| {
                let kind = error.kind();
                if let Ok(mut unreadable) = attempt.unreadable.lock() {
                    *unreadable = Some(error);
                }
                io::Error::from(kind)
            })?;
            let Some(chunk) = chunk else {
                return Ok::<_, io::Error>(None);
            };
            transfer.add(chunk.len() as u64);
            attempt.sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            Ok(Some((chunk, (reader, transfer, attempt))))
        });
        // A stream has no known length, and storage requires the signed one.
        let mut request = self
            .client
            .transfers
            .put(put.url)
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(body));
        for (name, value) in put.headers {
            request = request.header(name, value);
        }
        let response = unless_stalled(request.send(), &attempt.sent).await?;
        // The object is there: an earlier attempt succeeded without its response arriving.
        if response.status() == StatusCode::PRECONDITION_FAILED {
            return Ok(None);
        }
        let response = check_storage(response).await?;
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        Ok(tag.map(str::to_owned))
    }
}

/// State of one request.
#[derive(Debug, Default)]
struct Attempt {
    /// Bytes sent.
    sent: AtomicU64,
    /// Error of the file, which the error of the request does not tell.
    unreadable: Mutex<Option<io::Error>>,
}

impl<'a> Put<'a> {
    pub(crate) fn of(item: &'a JobItem) -> Result<Self, ClientError> {
        let url = item.presigned_url.as_deref();
        Ok(Self {
            url: url.ok_or_else(|| ClientError::NoUploadUrl(item.photo_id.clone()))?,
            headers: &item.headers,
        })
    }
}

/// Response to a request, unless its counter of bytes stands still.
async fn unless_stalled(
    sending: impl Future<Output = reqwest::Result<Response>>,
    sent: &AtomicU64,
) -> Result<Response, ClientError> {
    let mut sending = std::pin::pin!(sending);
    loop {
        let before = sent.load(Ordering::Relaxed);
        tokio::select! {
            response = &mut sending => return Ok(response?),
            () = tokio::time::sleep(MAX_STALL) => {
                if sent.load(Ordering::Relaxed) == before {
                    return Err(ClientError::Stalled(MAX_STALL));
                }
            }
        }
    }
}

/// Returns the response of storage if its status is a success.
pub(crate) async fn check_storage(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let body = response.text().await?.chars().take(400).collect();
    Err(ClientError::Storage {
        status: status.as_u16(),
        body,
        retry_after,
    })
}
