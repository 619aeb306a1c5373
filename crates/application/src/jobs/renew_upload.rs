use std::sync::Arc;

use rapidphoto_domain::{PhotoId, UserId, photo::PhotoStatus};

use super::create_job::{Admission, CreateJobError, NotAdmitted};
use crate::{
    commit::{Contended, WriteError},
    ports::{EventMetadata, PhotoReads, Ports, Unavailable},
    settings::Settings,
    uploads::{JobItem, OpenUploadError, Opening, UploadUrls, upload_failed},
};

/// Request for a fresh URL of a photo that awaits its bytes.
#[derive(Debug, Clone)]
pub struct RenewUpload {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Reasons for which an upload was not renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewUploadError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The photo awaits no bytes.
    #[error("the photo is {0} and awaits no bytes")]
    UploadEnded(PhotoStatus),
    /// The user has too many open photos.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The photo was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database or object storage is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Renews uploads. A failed upload begins again.
pub struct RenewUploadHandler {
    photos: Arc<dyn PhotoReads>,
    admission: Admission,
    urls: UploadUrls,
    opening: Opening,
}

impl RenewUploadHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: &Arc<Settings>) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            admission: Admission::new(ports, settings.quotas),
            urls: UploadUrls::new(ports, Arc::clone(settings)),
            opening: Opening::new(ports, settings),
        }
    }

    /// Returns the photo's item with a URL of which at least half the lifetime is left, or its parts. An upload in parts that
    /// is gone from storage is replaced.
    pub async fn handle(&self, command: RenewUpload) -> Result<JobItem, RenewUploadError> {
        let RenewUpload {
            owner,
            photo,
            metadata,
        } = command;
        let view = self.photos.photo(owner, photo).await?;
        let view = view.ok_or(RenewUploadError::NoSuchPhoto)?;
        self.admission
            .admit_again(owner, upload_failed(&view.photo).into())
            .await?;
        let mut renewed = self.urls.with_fresh_windows(owner, vec![view.photo]).await?;
        let photo = renewed
            .pop()
            .filter(|photo| !photo.deleted)
            .ok_or(RenewUploadError::NoSuchPhoto)?;
        let photo = if photo.multipart.is_some() && photo.status().awaits_upload() {
            self.opening.ensure(owner, photo.id, &metadata, true).await?
        } else {
            photo
        };
        let item = self.urls.item(&photo, view.hashes.declared).await?;
        if item.upload.is_none() && item.parts.is_none() {
            return Err(RenewUploadError::UploadEnded(item.status));
        }
        Ok(item)
    }
}

impl From<WriteError> for RenewUploadError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<CreateJobError> for RenewUploadError {
    fn from(error: CreateJobError) -> Self {
        match error {
            CreateJobError::NotAdmitted(reason) => reason.into(),
            CreateJobError::Contended(contended) => contended.into(),
            CreateJobError::Unavailable(unavailable) => unavailable.into(),
            other => Unavailable::database(other).into(),
        }
    }
}

impl From<OpenUploadError> for RenewUploadError {
    fn from(error: OpenUploadError) -> Self {
        match error {
            OpenUploadError::NoSuchPhoto | OpenUploadError::NotInParts => Self::NoSuchPhoto,
            OpenUploadError::UploadEnded(status) => Self::UploadEnded(status),
            OpenUploadError::Contended(contended) => contended.into(),
            OpenUploadError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}
