use std::{collections::BTreeMap, sync::Arc};

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::Photo,
    values::{ETag, PartNumber},
};

use super::completion::{CompleteUploadError, Completion};

use crate::{
    commit::{Contended, WriteError},
    intake::{Arrival, ReportArrival, ReportArrivalHandler},
    ports::{Aggregates, EventMetadata, Ports, Unavailable},
    settings::WorkSettings,
};

/// Report of the client that all bytes of a photo are sent.
#[derive(Debug, Clone)]
pub struct FinalizeUpload {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// Entity tags of the parts according to the client, for a file that is sent in parts.
    pub parts: Option<BTreeMap<PartNumber, ETag>>,
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
    /// Parts are listed of a file that is sent in one request.
    #[error("the photo is uploaded by a single PUT")]
    NotInParts,
    /// No object was made of the parts.
    #[error(transparent)]
    Parts(#[from] CompleteUploadError),
    /// The photo was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Receives clients' reports that an upload is done. They can be repeated, and have the same effect as storage's event.
pub struct FinalizeUploadHandler {
    aggregates: Arc<dyn Aggregates>,
    completion: Completion,
    arrivals: ReportArrivalHandler,
}

impl FinalizeUploadHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            completion: Completion::new(ports),
            arrivals: ReportArrivalHandler::new(ports, settings),
        }
    }

    /// Makes the object of the parts of a file that is sent in parts, begins the photo's verification, each unless it was done
    /// before, and returns the photo afterwards.
    pub async fn handle(&self, command: FinalizeUpload) -> Result<Photo, FinalizeUploadError> {
        let FinalizeUpload {
            owner,
            photo,
            parts,
            metadata,
        } = command;
        let known = self.aggregates.photo(photo).await?.map(|photo| photo.value);
        if let Some(known) = known.filter(|known| known.owner == owner && !known.deleted) {
            match known.parts() {
                Some(layout) => self.completion.complete(&known, layout, parts.as_ref()).await?,
                None if parts.is_some() => return Err(FinalizeUploadError::NotInParts),
                None => {}
            }
        }
        fail::fail_point!("finalize.completed", |_| std::process::abort());
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
