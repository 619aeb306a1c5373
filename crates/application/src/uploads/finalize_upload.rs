use rapidphoto_domain::{PhotoId, UserId, photo::Photo};

use crate::{
    intake::{Arrival, ReportArrival, ReportArrivalError, ReportArrivalHandler},
    ports::{EventMetadata, Ports, Unavailable},
    settings::WorkSettings,
};

/// Says that a photo's bytes are all sent.
#[derive(Debug, Clone)]
pub struct FinalizeUpload {
    /// Who says so.
    pub owner: UserId,
    /// Of which photo.
    pub photo: PhotoId,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// Why it was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinalizeUploadError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Takes the client's word that an upload is done. It is safe to repeat, and storage's event comes to the same.
#[derive(Clone)]
pub struct FinalizeUploadHandler {
    arrivals: ReportArrivalHandler,
}

impl FinalizeUploadHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            arrivals: ReportArrivalHandler::new(ports.write_ports(), settings),
        }
    }

    /// Lets the photo be verified, unless it is beyond that, and gives what it is now.
    pub async fn handle(&self, command: FinalizeUpload) -> Result<Photo, FinalizeUploadError> {
        let FinalizeUpload {
            owner,
            photo,
            metadata,
        } = command;
        match self
            .arrivals
            .handle(ReportArrival {
                owner,
                photo,
                metadata,
            })
            .await
        {
            Ok(Arrival::Reported(photo) | Arrival::Already(photo)) if !photo.deleted => Ok(photo),
            Ok(Arrival::Reported(_) | Arrival::Already(_) | Arrival::Unknown) => {
                Err(FinalizeUploadError::NoSuchPhoto)
            }
            Err(ReportArrivalError::Unavailable(unavailable)) => Err(unavailable.into()),
            Err(contended @ ReportArrivalError::Contended) => Err(Unavailable::record(contended).into()),
        }
    }
}
