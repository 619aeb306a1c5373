use rapidphoto_domain::{PhotoId, UserId, photo::Photo};

use crate::{
    commit::{Contended, WriteError},
    intake::{Arrival, ReportArrival, ReportArrivalHandler},
    ports::{EventMetadata, Ports, Unavailable},
    settings::WorkSettings,
};

/// Report of the client that all bytes of a photo are sent.
#[derive(Debug, Clone)]
pub struct FinalizeUpload {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Metadata of the events that the report leads to.
    pub metadata: EventMetadata,
}

/// Reason for which an upload was not finalized.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinalizeUploadError {
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

/// Receives clients' reports that an upload is done. They can be repeated, and have the same effect as storage's event.
pub struct FinalizeUploadHandler {
    arrivals: ReportArrivalHandler,
}

impl FinalizeUploadHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            arrivals: ReportArrivalHandler::new(ports, settings),
        }
    }

    /// Begins the photo's verification, unless it began before, and returns the photo afterwards.
    pub async fn handle(&self, command: FinalizeUpload) -> Result<Photo, FinalizeUploadError> {
        let FinalizeUpload {
            owner,
            photo,
            metadata,
        } = command;
        let report = ReportArrival {
            owner,
            photo,
            metadata,
        };
        match self.arrivals.handle(report).await {
            Ok(Arrival::Reported(photo) | Arrival::AlreadyReported(photo)) if !photo.deleted => Ok(photo),
            Ok(Arrival::Reported(_) | Arrival::AlreadyReported(_) | Arrival::Unknown) => {
                Err(FinalizeUploadError::NoSuchPhoto)
            }
            Err(WriteError::Contended(contended)) => Err(contended.into()),
            Err(WriteError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}
