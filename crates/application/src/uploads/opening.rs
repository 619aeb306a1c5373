//! Get-or-create of a photo's upload in parts.

use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoEvent, PhotoStatus},
    values::MultipartId,
};

use super::upload_urls::{UploadUrls, upload_window};
use crate::{
    commit::{Contended, Decided, RetryPolicy, WriteError, commit_with_retry},
    decision::record_photo,
    ports::{EventMetadata, MultipartUploads, Ports, Unavailable, Versioned, WritePorts},
    settings::Settings,
};

/// Opens uploads in parts.
pub(crate) struct Opening {
    ports: WritePorts,
    multipart: Arc<dyn MultipartUploads>,
    urls: UploadUrls,
    settings: Arc<Settings>,
}

/// Reasons why there is no open upload in parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenUploadError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The file is sent in one request.
    #[error("the photo is uploaded by a single PUT")]
    NotInParts,
    /// The photo awaits no bytes.
    #[error("the photo is {0} and awaits no bytes")]
    UploadEnded(PhotoStatus),
    /// The photo was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// Object storage or the database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Attempts before contention is reported; each loser of a race aborts the upload that it opened.
const ATTEMPTS: u32 = 12;

/// One attempt. A commit with an unknown outcome is repeated: aborting its upload could take that of the photo.
const COMMIT: RetryPolicy = RetryPolicy {
    repeats: 3,
    ..RetryPolicy::on_conflict("the photo", 1)
};

impl Opening {
    pub(crate) fn new(ports: &Ports, settings: &Arc<Settings>) -> Self {
        Self {
            ports: ports.write_ports(),
            multipart: Arc::clone(&ports.multipart),
            urls: UploadUrls::new(ports, Arc::clone(settings)),
            settings: Arc::clone(settings),
        }
    }

    /// Returns the photo with an upload in parts that is open, and a window of which at least half a URL's lifetime is left.
    ///
    /// `verify` asks storage whether the upload is still there; without it this is asked only when the window is renewed.
    /// One that is gone, as stores remove old ones, is replaced.
    pub(crate) async fn ensure(
        &self,
        owner: UserId,
        id: PhotoId,
        metadata: &EventMetadata,
        verify: bool,
    ) -> Result<Photo, OpenUploadError> {
        for _ in 0..ATTEMPTS {
            let photo = self.ports.aggregates.photo(id).await?;
            let photo = photo
                .filter(|photo| photo.value.owner == owner && !photo.value.deleted)
                .ok_or(OpenUploadError::NoSuchPhoto)?;
            if photo.value.part_size.is_none() {
                return Err(OpenUploadError::NotInParts);
            }
            if !self.urls.wants_bytes(&photo.value).await? {
                return Err(OpenUploadError::UploadEnded(photo.value.status()));
            }
            if let Some(photo) = self.attempt(photo, metadata, verify).await? {
                return Ok(photo);
            }
        }
        Err(Contended {
            subject: "the photo",
            attempts: ATTEMPTS,
        }
        .into())
    }

    /// Returns `None` if the photo was changed concurrently.
    async fn attempt(
        &self,
        before: Versioned<Photo>,
        metadata: &EventMetadata,
        verify: bool,
    ) -> Result<Option<Photo>, OpenUploadError> {
        let photo = &before.value;
        let status = photo.status();
        let now = self.ports.clock.now();
        let stale = self.urls.is_stale(photo, now);
        let is_open = match &photo.multipart {
            Some(upload) if stale || verify => {
                self.multipart.parts(&photo.object.key, upload).await?.is_some()
            }
            known => known.is_some(),
        };
        if status == PhotoStatus::Verifying {
            // Reported too early. Its window goes on, and it can be renewed once it has failed.
            return if is_open {
                Ok(Some(before.value))
            } else {
                Err(OpenUploadError::UploadEnded(status))
            };
        }
        let window = upload_window(now, &self.settings.uploads);
        let opened = if is_open {
            None
        } else {
            let content_type = photo.declared.mime_type.as_str();
            Some(self.multipart.open(&photo.object.key, content_type).await?)
        };
        let mut events = photo.decide(PhotoCommand::StartUpload).unwrap_or_default();
        if let Some(id) = opened.clone() {
            events.extend(
                photo
                    .decide(PhotoCommand::OpenMultipart { id, window })
                    .unwrap_or_default(),
            );
        } else if stale {
            events.extend(photo.decide(PhotoCommand::Renew { window }).unwrap_or_default());
        }
        match self.write(&before, events, metadata).await {
            Ok(photo) => Ok(Some(photo)),
            Err(WriteError::Contended(_)) => {
                if let Some(upload) = opened {
                    self.abort_own(photo, &upload).await;
                }
                Ok(None)
            }
            Err(WriteError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    async fn write(
        &self,
        before: &Versioned<Photo>,
        events: Vec<PhotoEvent>,
        metadata: &EventMetadata,
    ) -> Result<Photo, WriteError> {
        commit_with_retry(&*self.ports.journal, COMMIT, || async {
            let mut commit = self.ports.commit(metadata.clone());
            let ids = &*self.ports.ids;
            let photo = record_photo(&mut commit, before, events.clone(), ids, &self.settings.work);
            Ok(Decided::of(commit, photo))
        })
        .await
    }

    /// Aborts the upload that the loser of a race has opened. What fails here, the sweep of uploads aborts later.
    async fn abort_own(&self, photo: &Photo, upload: &MultipartId) {
        if let Err(error) = self.multipart.abort(&photo.object.key, upload).await {
            tracing::warn!(photoId = %photo.id, %error, "an upload in parts that is not needed stays until it is a day old");
        }
    }
}
