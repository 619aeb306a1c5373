use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Cleaning, PhotoCommand, PhotoStatus},
};

use super::create_job::{Admission, CreateJobError, NotAdmitted};
use crate::{
    commit::{Contended, Decided, RetryPolicy, commit_with_retry},
    decision::record_photo,
    ports::{CommitError, EventMetadata, PhotoReads, Ports, Unavailable, WritePorts},
    settings::Settings,
    uploads::{JobItem, UploadUrls, upload_window},
};

/// Request to try a failed photo again.
#[derive(Debug, Clone)]
pub struct RetryPhoto {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Reasons for which a photo was not retried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetryPhotoError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The photo has not failed.
    #[error("the photo is {0}; only failed photos can be retried")]
    NotFailed(PhotoStatus),
    /// The user has too many open photos.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The photo was changed concurrently each time, or its object is being deleted.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database or object storage is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CommitError> for RetryPhotoError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.into_unavailable())
    }
}

/// Retries failed photos: from the verification if the object is there, else from the upload.
pub struct RetryPhotoHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    admission: Admission,
    urls: UploadUrls,
    settings: Arc<Settings>,
}

const RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 12);

impl RetryPhotoHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: &Arc<Settings>) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            admission: Admission::new(ports, settings.quotas),
            urls: UploadUrls::new(ports, Arc::clone(settings)),
            settings: Arc::clone(settings),
        }
    }

    /// Returns the photo's item afterwards, with a URL if its file must be sent again.
    pub async fn handle(&self, command: RetryPhoto) -> Result<JobItem, RetryPhotoError> {
        let RetryPhoto {
            owner,
            photo,
            metadata,
        } = command;
        let view = self.photos.photo(owner, photo).await?;
        let view = view.ok_or(RetryPhotoError::NoSuchPhoto)?;
        if view.photo.status() == PhotoStatus::Failed {
            self.admission.admit_again(owner, 1).await?;
        }
        let photo = commit_with_retry(&*self.ports.journal, RETRY, || async {
            let before = self.ports.aggregates.photo(photo).await?;
            let before = before
                .filter(|photo| !photo.value.deleted)
                .ok_or(RetryPhotoError::NoSuchPhoto)?;
            let mut commit = self.ports.commit(metadata.clone());
            let window = upload_window(commit.at, &self.settings.uploads);
            let status = before.value.status();
            let events = match before.value.decide(PhotoCommand::Retry { window }) {
                Ok(events) => events,
                Err(_) if status == PhotoStatus::Failed && before.value.cleaning == Cleaning::Started => {
                    let attempts = 1;
                    let subject = "the photo";
                    return Err(Contended { subject, attempts }.into());
                }
                Err(_) => return Err(RetryPhotoError::NotFailed(status)),
            };
            let ids = &*self.ports.ids;
            let photo = record_photo(&mut commit, &before, events, ids, &self.settings.work);
            Ok::<_, RetryPhotoError>(Decided::of(commit, photo))
        })
        .await?;
        Ok(self.urls.item(&photo, view.hashes.declared).await?)
    }
}

impl From<CreateJobError> for RetryPhotoError {
    fn from(error: CreateJobError) -> Self {
        match error {
            CreateJobError::NotAdmitted(reason) => reason.into(),
            CreateJobError::Contended(contended) => contended.into(),
            CreateJobError::Unavailable(unavailable) => unavailable.into(),
            other => Unavailable::database(other).into(),
        }
    }
}
