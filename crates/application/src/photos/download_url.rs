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

/// Asks where to fetch a photo.
#[derive(Debug, Clone, Copy)]
pub struct DownloadUrl {
    /// Whose photo it is.
    pub owner: UserId,
    /// Which photo.
    pub photo: PhotoId,
    /// Which of its files.
    pub variant: Variant,
}

/// A photo's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// What was uploaded.
    #[default]
    Original,
    /// A thumbnail.
    Thumbnail(ThumbnailEdge),
}

/// Why there is no URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadUrlError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// Only completed photos can be fetched.
    #[error("the photo is {status}; only completed photos can be fetched")]
    NotCompleted {
        /// Where the photo stands.
        status: PhotoStatus,
    },
    /// The record or the signer can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Gives out download URLs.
#[derive(Clone)]
pub struct DownloadUrlHandler {
    photos: Arc<dyn PhotoReads>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

impl DownloadUrlHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// A URL that works for a while and offers the file under its own name.
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

/// `beach.png` at 256 px is `beach-256.jpg`; where that would be too long, the photo's own name has to do.
fn thumbnail_name(original: &Filename, edge: ThumbnailEdge) -> Filename {
    let stem = original
        .as_str()
        .rsplit_once('.')
        .map_or(original.as_str(), |(stem, _)| stem);
    Filename::parse(&format!("{stem}-{}.jpg", edge.pixels())).unwrap_or_else(|_| original.clone())
}
