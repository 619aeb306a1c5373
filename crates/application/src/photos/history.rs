use std::sync::Arc;

use rapidphoto_domain::{PhotoId, StreamId, UserId, Version};

use crate::ports::{EventLog, LogError, PhotoReads, Ports, StoredEvent, Unavailable};

/// Reasons why there is no history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Reads the history of photos from the log.
#[derive(Clone)]
pub struct PhotoHistoryHandler {
    photos: Arc<dyn PhotoReads>,
    log: Arc<dyn EventLog>,
}

impl PhotoHistoryHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            log: Arc::clone(&ports.database.log),
        }
    }

    /// Returns the events of a photo, in order.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<Vec<StoredEvent>, HistoryError> {
        let known = self.photos.photo(owner, photo).await?;
        known.ok_or(HistoryError::NoSuchPhoto)?;
        Ok(self.log.events(StreamId::Photo(photo), Version::NEW).await?)
    }
}
