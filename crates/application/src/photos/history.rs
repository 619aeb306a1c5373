use rapidphoto_domain::{PhotoId, StreamId, UserId, Version};

use crate::{
    outside::Outside,
    ports::{LogError, StoredEvent, Unavailable},
};

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
    outside: Outside,
}

impl PhotoHistoryHandler {
    /// A handler on these ports.
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// A photo's events, in order.
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
