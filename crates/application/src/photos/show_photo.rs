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

/// A photo with URLs for its thumbnails.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownPhoto {
    /// What is known of it.
    pub view: PhotoView,
    /// Its thumbnails.
    pub thumbnails: Vec<ShownThumbnail>,
}

/// A thumbnail and where to fetch it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownThumbnail {
    /// The thumbnail.
    pub thumbnail: Thumbnail,
    /// Where to fetch it.
    pub url: PresignedUrl,
}

/// Shows photos.
#[derive(Clone)]
pub struct ShowPhotoHandler {
    photos: Arc<dyn PhotoReads>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

impl ShowPhotoHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// A user's photo, if there is one with this name.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<Option<ShownPhoto>, Unavailable> {
        match self.photos.photo(owner, photo).await? {
            Some(view) => self.show(view).await.map(Some),
            None => Ok(None),
        }
    }

    /// Adds the thumbnails' URLs to what was read.
    pub(super) async fn show(&self, view: PhotoView) -> Result<ShownPhoto, Unavailable> {
        let photo = &view.photo;
        let made = match &photo.state {
            PhotoState::Completed { result } => result.thumbnails.as_slice(),
            PhotoState::Queued
            | PhotoState::Uploading
            | PhotoState::Verifying
            | PhotoState::Processing { .. }
            | PhotoState::Rejected { .. }
            | PhotoState::Failed { .. }
            | PhotoState::Cancelled => &[],
        };
        let mut thumbnails = Vec::with_capacity(made.len());
        for thumbnail in made {
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
            thumbnails.push(ShownThumbnail {
                thumbnail: *thumbnail,
                url,
            });
        }
        Ok(ShownPhoto { view, thumbnails })
    }
}
