use rapidphoto_domain::{PhotoId, StreamId, UserId, Version};

use crate::{
    outside::Outside,
    ports::{LogError, StoredEvent, Unavailable},
};

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
    outside: Outside,
}

impl PhotoHistoryHandler {
    /// Creates a handler.
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// Returns the events of a photo, in order.
    pub async fn handle(&self, owner: UserId, photo: PhotoId) -> Result<Vec<StoredEvent>, HistoryError> {
        let known = self.outside.photos.photo(owner, photo).await?;
        known.ok_or(HistoryError::NoSuchPhoto)?;
        Ok(self
            .outside
            .log
            .events(StreamId::Photo(photo), Version::NEW)
            .await?)
    }
}
