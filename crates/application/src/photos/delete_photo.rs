use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use crate::{
    decision::{record_photo, write_unless_moved},
    jobs::cancel_photo,
    ports::{EventMetadata, Ports, Unavailable, WritePorts},
    settings::WorkSettings,
};

/// Gives a photo up: cancels it on its way, deletes it when it is at an end.
#[derive(Debug, Clone)]
pub struct DeletePhoto {
    /// Whose photo it is.
    pub owner: UserId,
    /// Which photo.
    pub photo: PhotoId,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// Why a photo was not given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeletePhotoError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Cancels and deletes photos.
#[derive(Clone)]
pub struct DeletePhotoHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

/// How often it is decided anew when the photo's state moves.
const MAX_ROUNDS: usize = 16;

impl DeletePhotoHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Cancels or deletes, as the photo's state is, and gives what it is afterwards.
    pub async fn handle(&self, command: DeletePhoto) -> Result<Photo, DeletePhotoError> {
        for _ in 0..MAX_ROUNDS {
            let current = self.ports.aggregates.photo(command.photo).await?;
            let current = current
                .filter(|photo| photo.value.owner == command.owner && !photo.value.deleted)
                .ok_or(DeletePhotoError::NoSuchPhoto)?;
            let Ok(events) = current.value.decide(PhotoCommand::Delete) else {
                let cancelled =
                    cancel_photo(&self.ports, &self.settings, command.photo, &command.metadata).await?;
                match cancelled {
                    Some(photo) if photo.value.status() == PhotoStatus::Cancelled => return Ok(photo.value),
                    // It came to its end meanwhile: that is deleted.
                    Some(_) => continue,
                    None => return Err(DeletePhotoError::NoSuchPhoto),
                }
            };
            let mut commit = self.ports.commit(command.metadata.clone());
            let deleted = record_photo(
                &mut commit,
                &current,
                events,
                self.ports.ids.as_ref(),
                &self.settings,
            );
            if write_unless_moved(&*self.ports.journal, commit).await? {
                return Ok(deleted);
            }
        }
        Err(Unavailable::record("the photo keeps changing").into())
    }
}
