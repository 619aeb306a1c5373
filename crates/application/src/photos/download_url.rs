use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{PhotoState, PhotoStatus},
    values::{Filename, MimeType, ThumbnailEdge},
};

use crate::{
    ports::{PhotoReads, Ports, PresignedUrl, Presigner, ReadGrant, Unavailable},
    settings::Settings,
};

/// Request for a download URL.
#[derive(Debug, Clone, Copy)]
pub struct DownloadUrl {
    /// Owner of the photo.
    pub owner: UserId,
    /// Photo to download.
    pub photo: PhotoId,
    /// File of the photo.
    pub variant: Variant,
}

/// Files of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// Uploaded file.
    #[default]
    Original,
    /// Thumbnail of this size.
    Thumbnail(ThumbnailEdge),
}

/// Reasons why there is no URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadUrlError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// Only completed photos can be downloaded.
    #[error("the photo is {status}; only completed photos can be downloaded")]
    NotCompleted {
        /// Status of the photo.
        status: PhotoStatus,
    },
    /// The database is unavailable, or the URL can't be signed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Issues download URLs.
#[derive(Clone)]
pub struct DownloadUrlHandler {
    photos: Arc<dyn PhotoReads>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

impl DownloadUrlHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// Signs a URL that is valid for [`url_lifetime`](crate::settings::UploadSettings::url_lifetime) and suggests the
    /// photo's filename.
    pub async fn handle(&self, query: DownloadUrl) -> Result<PresignedUrl, DownloadUrlError> {
        let view = self.photos.photo(query.owner, query.photo).await?;
        let view = view.ok_or(DownloadUrlError::NoSuchPhoto)?;
        let photo = &view.photo;
        let PhotoState::Completed { result } = &photo.state else {
            return Err(DownloadUrlError::NotCompleted {
                status: photo.status(),
            });
        };
        let keys = &self.settings.storage.keys;
        let (key, mime_type, name) = match query.variant {
            Variant::Original => (photo.object.key.clone(), result.mime_type, view.filename.clone()),
            Variant::Thumbnail(edge) => (
                keys.thumbnail(photo.owner, photo.id, edge),
                MimeType::Jpeg,
                thumbnail_name(&view.filename, edge),
            ),
        };
        let grant = ReadGrant {
            key,
            download_as: Some(name),
            mime_type,
            valid_for: self.settings.uploads.url_lifetime,
        };
        Ok(self.presigner.get(&grant).await?)
    }
}

/// Filename of a thumbnail: `beach-256.jpg` for `beach.png` at 256 px. The photo's filename is used instead if the
/// result would be too long.
fn thumbnail_name(original: &Filename, edge: ThumbnailEdge) -> Filename {
    let stem = original
        .as_str()
        .rsplit_once('.')
        .map_or(original.as_str(), |(stem, _)| stem);
    Filename::parse(&format!("{stem}-{}.jpg", edge.pixels())).unwrap_or_else(|_| original.clone())
}
