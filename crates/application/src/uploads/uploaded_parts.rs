use std::sync::Arc;

use rapidphoto_domain::{PhotoId, UserId, photo::PartLayout};

use super::{opening::OpenUploadError, upload_urls::UploadUrls};
use crate::{
    ports::{Aggregates, MultipartUploads, ObjectStore, Ports, StoredPart},
    settings::Settings,
};

/// Parts of a file that are in storage.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadedParts {
    /// All parts of the file.
    pub layout: PartLayout,
    /// Parts in storage, ascending by number.
    pub parts: Vec<StoredPart>,
}

/// Lists the parts in storage, so that a client resumes an upload without sending them again.
pub struct UploadedPartsHandler {
    aggregates: Arc<dyn Aggregates>,
    objects: Arc<dyn ObjectStore>,
    multipart: Arc<dyn MultipartUploads>,
    urls: UploadUrls,
}

impl UploadedPartsHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: &Arc<Settings>) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            objects: Arc::clone(&ports.objects),
            multipart: Arc::clone(&ports.multipart),
            urls: UploadUrls::new(ports, Arc::clone(settings)),
        }
    }

    /// Returns the parts. There are none before the upload is opened.
    ///
    /// # Errors
    /// [`OpenUploadError::UploadEnded`] also if the object is made and only the photo does not say so yet: the client
    /// finalizes then instead of sending parts.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<UploadedParts, OpenUploadError> {
        let photo = self.aggregates.photo(photo).await?.map(|photo| photo.value);
        let photo = photo
            .filter(|photo| photo.owner == owner && !photo.deleted)
            .ok_or(OpenUploadError::NoSuchPhoto)?;
        let layout = photo.parts().ok_or(OpenUploadError::NotInParts)?;
        let ended = OpenUploadError::UploadEnded(photo.status());
        if !self.urls.wants_bytes(&photo).await? {
            return Err(ended);
        }
        let key = &photo.object.key;
        let parts = match &photo.multipart {
            Some(upload) => self.multipart.parts(key, upload).await?,
            None => Some(Vec::new()),
        };
        match parts {
            Some(parts) => Ok(UploadedParts { layout, parts }),
            None if self.objects.head(key).await?.is_some() => Err(ended),
            None => Ok(UploadedParts {
                layout,
                parts: Vec::new(),
            }),
        }
    }
}
