use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{PhotoState, Thumbnail},
    values::MimeType,
};

use crate::{
    ports::{PhotoReads, PhotoView, Ports, PresignedUrl, Presigner, ReadGrant, Unavailable},
    settings::Settings,
};

/// Photo with URLs of its thumbnails.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoWithUrls {
    /// Read model of the photo.
    pub view: PhotoView,
    /// Thumbnails; empty unless the photo is completed.
    pub thumbnails: Vec<ThumbnailWithUrl>,
}

/// Thumbnail with its URL.
#[derive(Debug, Clone, PartialEq)]
pub struct ThumbnailWithUrl {
    /// Size of the thumbnail.
    pub thumbnail: Thumbnail,
    /// URL of the JPEG file.
    pub url: PresignedUrl,
}

/// Reads photos for display.
#[derive(Clone)]
pub struct ShowPhotoHandler {
    photos: Arc<dyn PhotoReads>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

impl ShowPhotoHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// Returns a user's photo; `None` if there is none with this id.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoWithUrls>, Unavailable> {
        match self.photos.photo(owner, photo).await? {
            Some(view) => self.show(view).await.map(Some),
            None => Ok(None),
        }
    }

    /// Adds the URLs of the thumbnails to a read model.
    pub(super) async fn show(&self, view: PhotoView) -> Result<PhotoWithUrls, Unavailable> {
        let photo = &view.photo;
        let stored = match &photo.state {
            PhotoState::Completed { result } => result.thumbnails.as_slice(),
            PhotoState::Queued
            | PhotoState::Uploading
            | PhotoState::Verifying
            | PhotoState::Processing { .. }
            | PhotoState::Rejected { .. }
            | PhotoState::Failed { .. }
            | PhotoState::Cancelled => &[],
        };
        let mut thumbnails = Vec::with_capacity(stored.len());
        for thumbnail in stored {
            let grant = ReadGrant {
                key: self
                    .settings
                    .storage
                    .keys
                    .thumbnail(photo.owner, photo.id, thumbnail.edge),
                download_as: None,
                mime_type: MimeType::Jpeg,
                valid_for: self.settings.uploads.url_lifetime,
            };
            let url = self.presigner.get(&grant).await?;
            thumbnails.push(ThumbnailWithUrl {
                thumbnail: *thumbnail,
                url,
            });
        }
        Ok(PhotoWithUrls { view, thumbnails })
    }
}
