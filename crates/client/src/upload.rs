use bytes::Bytes;
use rapidphoto_api_types::{FileRequest, JobItem, PhotoStatus, UploadState};

use crate::{
    content::Content,
    error::ClientError,
    retry::{Attempts, with_retries},
    session::Session,
    transfer::{Put, Transfer},
};

/// File in memory, to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Filename.
    pub filename: String,
    /// MIME type.
    pub mime_type: String,
    /// Content.
    pub bytes: Bytes,
}

impl NewUpload {
    /// Creates an upload of a file.
    pub fn new(filename: impl Into<String>, mime_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self {
            filename: filename.into(),
            mime_type: mime_type.into(),
            bytes: bytes.into(),
        }
    }

    /// Declaration of the file, for [`Session::create_job`](crate::Session::create_job).
    pub fn file(&self) -> FileRequest {
        FileRequest {
            filename: self.filename.clone(),
            mime_type: self.mime_type.clone(),
            bytes: self.bytes.len() as u64,
            upload_id: None,
            checksum: None,
        }
    }

    /// Content of the file, for [`Session::upload`](crate::Session::upload).
    pub fn content(&self) -> Content {
        Content::Memory(self.bytes.clone())
    }
}

/// Renewals of a URL that storage refuses as expired before the refusal is an error.
const MAX_RENEWALS: u32 = 2;

/// Code of the problem that a photo awaits no bytes.
const UPLOAD_ENDED: &str = "upload_ended";

impl Session {
    /// Uploads the file of an item, in one request or in parts as the item says, and reports it as complete.
    ///
    /// Failures that may pass are repeated with growing pauses, at least as long as the server's `Retry-After`. URLs are renewed
    /// after expiry. Parts that are in storage are not sent again, so that an upload continues after a crash. A file that need
    /// not be uploaded any more is left alone.
    pub async fn upload(
        &self,
        item: &JobItem,
        content: &Content,
        transfer: &Transfer,
    ) -> Result<UploadState, ClientError> {
        if !matches!(item.status, PhotoStatus::Queued | PhotoStatus::Uploading) {
            transfer.add(content.bytes());
            return Ok(UploadState {
                photo_id: item.photo_id.clone(),
                job_id: item.job_id.clone(),
                status: item.status,
            });
        }
        let id = &item.photo_id;
        if let Some(layout) = &item.multipart {
            let parts = self.upload_parts(id, layout, content, transfer).await?;
            return with_retries(|| self.finalize_parts(id, &parts)).await;
        }
        self.upload_single(item, content, transfer).await?;
        with_retries(|| self.finalize(id)).await
    }

    async fn upload_single(
        &self,
        item: &JobItem,
        content: &Content,
        transfer: &Transfer,
    ) -> Result<(), ClientError> {
        let _slot = transfer.slot().await;
        let mut item = item.clone();
        let mut attempts = Attempts::default();
        let mut renewals = 0;
        loop {
            let Ok(put) = Put::of(&item) else {
                // The file arrived by an earlier request.
                transfer.add(content.bytes());
                return Ok(());
            };
            let sent = self.put_range(&put, content, 0..content.bytes(), transfer).await;
            match sent {
                Ok(_) => return Ok(()),
                Err(ClientError::Storage { status: 403, .. }) if renewals < MAX_RENEWALS => renewals += 1,
                Err(error) => attempts.pause_after(error).await?,
            }
            match with_retries(|| self.renew_upload(&item.photo_id)).await {
                Ok(renewed) => item = renewed,
                // Another process has uploaded the file.
                Err(error) if error.code() == Some(UPLOAD_ENDED) => {
                    transfer.add(content.bytes());
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }
}
