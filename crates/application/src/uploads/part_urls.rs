use std::{collections::BTreeSet, sync::Arc};

use rapidphoto_domain::{PhotoId, UserId, photo::PartLayout, values::PartNumber};

use super::opening::{OpenUploadError, Opening};
use crate::{
    ports::{Aggregates, Clock, EventMetadata, PartGrant, Ports, PresignedUrl, Presigner},
    settings::Settings,
};

/// Request for URLs to which a client sends parts of a file.
#[derive(Debug, Clone)]
pub struct RequestPartUrls {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Numbers of the parts.
    pub numbers: BTreeSet<PartNumber>,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// URLs of parts.
#[derive(Debug, Clone, PartialEq)]
pub struct PartUrls {
    /// All parts of the file.
    pub layout: PartLayout,
    /// The requested parts, ascending by number.
    pub parts: Vec<(PartNumber, PresignedUrl)>,
}

/// Reasons why there are no URLs of parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartUrlsError {
    /// The file has fewer parts.
    #[error("the file has {count} parts, but part {number} was requested")]
    NoSuchPart {
        /// Requested number.
        number: PartNumber,
        /// Number of parts of the file.
        count: u16,
    },
    /// There is no open upload.
    #[error(transparent)]
    Upload(#[from] OpenUploadError),
}

/// Hands out URLs of parts. The first request opens the upload in storage.
pub struct PartUrlsHandler {
    aggregates: Arc<dyn Aggregates>,
    clock: Arc<dyn Clock>,
    presigner: Arc<dyn Presigner>,
    opening: Opening,
}

impl PartUrlsHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: &Arc<Settings>) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            clock: Arc::clone(&ports.clock),
            presigner: Arc::clone(&ports.presigner),
            opening: Opening::new(ports, settings),
        }
    }

    /// Signs a URL for each part; repeated requests get new ones for the same upload.
    pub async fn handle(&self, command: RequestPartUrls) -> Result<PartUrls, PartUrlsError> {
        let RequestPartUrls {
            owner,
            photo,
            numbers,
            metadata,
        } = command;
        // Checked first, so that a request with a wrong number opens nothing.
        let known = self
            .aggregates
            .photo(photo)
            .await
            .map_err(OpenUploadError::from)?;
        if let Some(layout) = known
            .filter(|photo| photo.value.owner == owner && !photo.value.deleted)
            .and_then(|photo| photo.value.parts())
            && let Some(number) = numbers.last().filter(|last| layout.bytes_of(**last).is_none())
        {
            let (number, count) = (*number, layout.count());
            return Err(PartUrlsError::NoSuchPart { number, count });
        }
        let photo = self.opening.ensure(owner, photo, &metadata, false).await?;
        let (Some(layout), Some(upload)) = (photo.parts(), photo.multipart) else {
            return Err(OpenUploadError::NotInParts.into());
        };
        let left = photo.window.url_expires_at - self.clock.now();
        let valid_for = left.to_std().unwrap_or_default();
        let mut parts = Vec::with_capacity(numbers.len());
        for number in numbers {
            let grant = PartGrant {
                key: photo.object.key.clone(),
                upload: upload.clone(),
                number,
                bytes: layout.bytes_of(number).unwrap_or_default(),
                valid_for,
            };
            let url = self.presigner.part(&grant).await;
            parts.push((number, url.map_err(OpenUploadError::from)?));
        }
        Ok(PartUrls { layout, parts })
    }
}
