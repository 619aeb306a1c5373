use std::sync::atomic::{AtomicBool, Ordering};

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoStatus},
};

use crate::{
    commit::{Contended, Decided, RetryPolicy, commit_with_retry},
    decision::record_photo,
    ports::{CommitError, EventMetadata, Ports, Unavailable, WritePorts},
    settings::WorkSettings,
};

/// Request to delete a photo, or to cancel it if it is not in a final state.
#[derive(Debug, Clone)]
pub struct DeletePhoto {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Reason for which a photo was neither deleted nor cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeletePhotoError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The photo was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CommitError> for DeletePhotoError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.into_unavailable())
    }
}

/// Cancels and deletes photos.
pub struct DeletePhotoHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

/// A photo may be changed many times while its cancellation is decided and, once it has ended, while its deletion is.
const RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 256);

impl DeletePhotoHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Deletes a photo in a final state, cancels any other, and returns the photo afterwards.
    ///
    /// A photo that a concurrent request cancels first is returned as it is: a request to cancel never deletes.
    pub async fn handle(&self, command: DeletePhoto) -> Result<Photo, DeletePhotoError> {
        // True if the previous attempt was to cancel the photo.
        let cancelling = AtomicBool::new(false);
        commit_with_retry(&*self.ports.journal, RETRY, || async {
            let current = self.ports.aggregates.photo(command.photo).await?;
            let current = current
                .filter(|photo| photo.value.owner == command.owner && !photo.value.deleted)
                .ok_or(DeletePhotoError::NoSuchPhoto)?;
            if cancelling.load(Ordering::Relaxed) && current.value.status() == PhotoStatus::Cancelled {
                return Ok(Decided::Nothing(current.value));
            }
            let deleted = current.value.decide(PhotoCommand::Delete);
            cancelling.store(deleted.is_err(), Ordering::Relaxed);
            // A photo that can't be deleted yet can be cancelled.
            let events = deleted
                .or_else(|_| current.value.decide(PhotoCommand::Cancel))
                .unwrap_or_default();
            let mut commit = self.ports.commit(command.metadata.clone());
            let ids = self.ports.ids.as_ref();
            let photo = record_photo(&mut commit, &current, events, ids, &self.settings);
            Ok(Decided::of(commit, photo))
        })
        .await
    }
}
