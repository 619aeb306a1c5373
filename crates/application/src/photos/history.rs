use std::sync::Arc;

use rapidphoto_domain::{PhotoId, StreamId, UserId, Version};

use crate::ports::{EventLog, LogError, PhotoReads, Ports, StoredEvent, Unavailable};

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Tells what happened to photos, from the log.
#[derive(Clone)]
pub struct PhotoHistoryHandler {
    photos: Arc<dyn PhotoReads>,
    log: Arc<dyn EventLog>,
}

impl PhotoHistoryHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            log: Arc::clone(&ports.database.log),
        }
    }

    /// A photo's events, in order.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<Vec<StoredEvent>, HistoryError> {
        let known = self.photos.photo(owner, photo).await?;
        known.ok_or(HistoryError::NoSuchPhoto)?;
        Ok(self.log.events(StreamId::Photo(photo), Version::NEW).await?)
    }
}
