use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use crate::{
    decision::{record_photo, write_unless_moved},
    jobs::cancel_photo,
    outside::Outside,
    ports::{Commit, EventMetadata, Unavailable},
    settings::WorkSettings,
};

/// Request to delete a photo in a terminal state, or to cancel any other.
#[derive(Debug, Clone)]
pub struct DeletePhoto {
    /// Owner of the photo.
    pub owner: UserId,
    /// Photo to delete or cancel.
    pub photo: PhotoId,
    /// Metadata of the request.
    pub metadata: EventMetadata,
}

/// Reasons why a photo is neither deleted nor cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeletePhotoError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Deletes and cancels photos.
#[derive(Clone)]
pub struct DeletePhotoHandler {
    outside: Outside,
    settings: WorkSettings,
}

/// How often it is decided anew when the photo's state moves.
const MAX_ROUNDS: usize = 16;

impl DeletePhotoHandler {
    /// Creates a handler.
    pub const fn new(outside: Outside, settings: WorkSettings) -> Self {
        Self { outside, settings }
    }

    /// Deletes or cancels the photo, depending on its state, and returns its new state.
    pub async fn handle(&self, command: DeletePhoto) -> Result<Photo, DeletePhotoError> {
        for _ in 0..MAX_ROUNDS {
            let current = self.outside.aggregates.photo(command.photo).await?;
            let current = current
                .filter(|photo| photo.value.owner == command.owner && !photo.value.deleted)
                .ok_or(DeletePhotoError::NoSuchPhoto)?;
            let Ok(events) = current.value.decide(PhotoCommand::Delete) else {
                let cancelled =
                    cancel_photo(&self.outside, &self.settings, command.photo, &command.metadata).await?;
                match cancelled {
                    Some(photo) if photo.value.status() == PhotoStatus::Cancelled => return Ok(photo.value),
                    // The photo reached a terminal state meanwhile, so it is deleted instead.
                    Some(_) => continue,
                    None => return Err(DeletePhotoError::NoSuchPhoto),
                }
            };
            let mut commit = Commit::new(self.outside.clock.now(), command.metadata.clone());
            let deleted = record_photo(
                &mut commit,
                &current,
                events,
                self.outside.ids.as_ref(),
                &self.settings,
            );
            if write_unless_moved(&*self.outside.journal, commit).await? {
                return Ok(deleted);
            }
        }
        Err(Unavailable::record("the photo keeps changing").into())
    }
}
