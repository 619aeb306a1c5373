//! Repetitions of a request, found by its idempotency key.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use rapidphoto_domain::{PhotoId, UserId, photo::Photo};
use sha2::{Digest, Sha256};

use super::{
    command::{CreateJobError, UploadOptions, UploadStrategy},
    planning::{DeclaredPhotos, Request, common_job},
};
use crate::{
    jobs::new_file::RawFile,
    ports::{Aggregates, Clock, IdempotencyReads, PhotoReads, Ports, Unavailable, existing_photo},
};

/// Finds what earlier requests with the same idempotency key have declared.
pub(super) struct EarlierRequests {
    clock: Arc<dyn Clock>,
    aggregates: Arc<dyn Aggregates>,
    photos: Arc<dyn PhotoReads>,
    idempotency: Arc<dyn IdempotencyReads>,
}

/// Number of deleted photos that are read concurrently.
const CONCURRENT_READS: usize = 8;

impl EarlierRequests {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            aggregates: Arc::clone(&ports.database.aggregates),
            photos: Arc::clone(&ports.database.photos),
            idempotency: Arc::clone(&ports.database.idempotency),
        }
    }

    /// The photos that an earlier request with the same key has declared, if there was one.
    pub(super) async fn find(&self, request: &Request<'_>) -> Result<Option<DeclaredPhotos>, CreateJobError> {
        let Some(key) = request.idempotency_key() else {
            return Ok(None);
        };
        let (owner, now) = (request.owner(), self.clock.now());
        let Some(record) = self.idempotency.idempotency(owner, key, now).await? else {
            return Ok(None);
        };
        if record.fingerprint != request.fingerprint() {
            return Err(CreateJobError::KeyReused);
        }
        let photos = self.load(owner, &record.photos).await?;
        let duplicates = photos.iter().enumerate();
        let duplicates = duplicates.map(|(index, photo)| request.was_duplicate(index, photo, record.job));
        Ok(Some(DeclaredPhotos {
            job: record.job.or_else(|| common_job(&photos)),
            duplicates: duplicates.collect(),
            photos,
            new: None,
        }))
    }

    /// One photo for each id. Photos that were deleted since are returned too: items match files one to one.
    async fn load(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, Unavailable> {
        let views = self.photos.by_ids(owner, ids).await?;
        let mut present: HashMap<PhotoId, Photo> = views
            .into_iter()
            .map(|view| (view.photo.id, view.photo))
            .collect();
        let photos = ids.iter().map(|id| {
            let present = present.remove(id);
            async move {
                match present {
                    Some(photo) => Ok(photo),
                    None => existing_photo(&*self.aggregates, *id).await,
                }
            }
        });
        let photos: Vec<_> = photos.collect();
        stream::iter(photos)
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await
    }
}

/// SHA-256 of a request's fields: equal for requests that differ only in the white space or member order of their JSON.
pub(super) fn fingerprint(files: &[RawFile], options: &UploadOptions) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for file in files {
        field(file.filename.as_bytes());
        field(file.mime_type.as_bytes());
        field(&file.bytes.to_be_bytes());
        field(file.upload_id.as_deref().unwrap_or_default().as_bytes());
        let (algorithm, value) = file
            .checksum
            .as_ref()
            .map_or(("", ""), |(algorithm, value)| (algorithm, value));
        field(algorithm.as_bytes());
        field(value.as_bytes());
    }
    // Records of earlier versions have no options.
    if *options != UploadOptions::default() {
        let strategy = match options.strategy {
            UploadStrategy::Auto => 0,
            UploadStrategy::Single => 1,
            UploadStrategy::Parts => 2,
        };
        field(&[strategy, options.dedupe.into()]);
        field(&options.part_size.unwrap_or_default().to_be_bytes());
    }
    hash.finalize().into()
}
