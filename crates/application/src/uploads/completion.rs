//! Completion of uploads in parts: makes the object of the parts in storage, once.

use std::{collections::BTreeMap, sync::Arc};

use rapidphoto_domain::{
    photo::{PartLayout, Photo, PhotoStatus},
    values::{ETag, PartNumber},
};

use super::upload_urls::upload_failed;
use crate::{
    commit::Contended,
    ports::{CompleteError, MultipartUploads, ObjectStore, PartReference, Ports, StoredPart, Unavailable},
};

/// Makes objects of parts.
pub(super) struct Completion {
    objects: Arc<dyn ObjectStore>,
    multipart: Arc<dyn MultipartUploads>,
}

/// A part that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartFault {
    /// Number of the part.
    pub number: PartNumber,
    /// Difference.
    pub kind: PartFaultKind,
}

/// Difference between a part and what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartFaultKind {
    /// The part is not in storage.
    #[error("is not in storage")]
    NotSent,
    /// The part has another size.
    #[error("has {bytes} bytes in storage instead of {expected}")]
    WrongSize {
        /// Size of the part in storage, in bytes.
        bytes: u64,
        /// Size that the part must have, in bytes.
        expected: u64,
    },
    /// The client's list lacks the part.
    #[error("is missing from the list")]
    NotListed,
    /// The client's list has another entity tag.
    #[error("has another eTag in storage than in the list")]
    OtherETag,
    /// The file has fewer parts.
    #[error("is no part of the file")]
    NoSuchPart,
}

/// Reasons why no object was made of the parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteUploadError {
    /// The parts don't add up to the file.
    #[error("{} parts of the file are missing or have another size", .0.len())]
    PartsIncomplete(Vec<PartFault>),
    /// The client's list differs from the parts in storage.
    #[error("{} parts differ from the list", .0.len())]
    PartsChanged(Vec<PartFault>),
    /// The upload in parts is gone, and there is no object.
    #[error("the upload in parts is gone from storage")]
    UploadLost,
    /// The parts changed during each attempt.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// Object storage is unavailable. The object may or may not have been made.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Attempts to complete an upload whose parts change meanwhile.
const ATTEMPTS: u32 = 3;

impl Completion {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            objects: Arc::clone(&ports.objects),
            multipart: Arc::clone(&ports.multipart),
        }
    }

    /// Makes the photo's object of its parts if that is still to be done; `listed` are the parts according to the client.
    ///
    /// Can be repeated after any failure: when the upload is gone, the object decides.
    pub(super) async fn complete(
        &self,
        photo: &Photo,
        layout: PartLayout,
        listed: Option<&BTreeMap<PartNumber, ETag>>,
    ) -> Result<(), CompleteUploadError> {
        let open = photo.status().awaits_upload()
            || photo.status() == PhotoStatus::Verifying
            || upload_failed(photo);
        if photo.deleted || !open {
            return Ok(());
        }
        let key = &photo.object.key;
        let Some(upload) = &photo.multipart else {
            if self.is_stored(photo).await? {
                return Ok(());
            }
            return Err(check(layout, &[], None)
                .err()
                .unwrap_or(CompleteUploadError::UploadLost));
        };
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.multipart.parts(key, upload).await? else {
                return self.gone(photo).await;
            };
            let parts = check(layout, &stored, listed)?;
            match self.multipart.complete(key, upload, &parts).await {
                Ok(()) => return Ok(()),
                Err(CompleteError::NoSuchUpload) => return self.gone(photo).await,
                Err(CompleteError::Exists) if self.is_stored(photo).await? => {
                    // The parts are not needed any more; the sweep aborts what this does not.
                    let _ = self.multipart.abort(key, upload).await;
                    return Ok(());
                }
                // A part was sent again, or another request is completing the upload.
                Err(CompleteError::Exists | CompleteError::InvalidPart) => {}
                Err(CompleteError::Unavailable(unavailable)) => return Err(unavailable.into()),
            }
        }
        Err(Contended {
            subject: "the upload in parts",
            attempts: ATTEMPTS,
        }
        .into())
    }

    /// The upload was completed or aborted.
    async fn gone(&self, photo: &Photo) -> Result<(), CompleteUploadError> {
        if self.is_stored(photo).await? {
            Ok(())
        } else {
            Err(CompleteUploadError::UploadLost)
        }
    }

    /// Returns true if there is an object. Its size is compared with the declared one by the verification.
    async fn is_stored(&self, photo: &Photo) -> Result<bool, Unavailable> {
        Ok(self.objects.head(&photo.object.key).await?.is_some())
    }
}

/// The parts of which the file consists.
fn check(
    layout: PartLayout,
    stored: &[StoredPart],
    listed: Option<&BTreeMap<PartNumber, ETag>>,
) -> Result<Vec<PartReference>, CompleteUploadError> {
    let stored: BTreeMap<PartNumber, &StoredPart> = stored.iter().map(|part| (part.number, part)).collect();
    let (mut incomplete, mut changed) = (Vec::new(), Vec::new());
    let mut parts = Vec::with_capacity(layout.count().into());
    for number in layout.numbers() {
        let expected = layout.bytes_of(number).unwrap_or_default();
        let fault = |kind| PartFault { number, kind };
        let Some(part) = stored.get(&number) else {
            incomplete.push(fault(PartFaultKind::NotSent));
            continue;
        };
        if part.bytes != expected {
            let bytes = part.bytes;
            incomplete.push(fault(PartFaultKind::WrongSize { bytes, expected }));
        }
        match listed.map(|listed| listed.get(&number)) {
            Some(None) => incomplete.push(fault(PartFaultKind::NotListed)),
            Some(Some(e_tag)) if *e_tag != part.e_tag => changed.push(fault(PartFaultKind::OtherETag)),
            Some(Some(_)) | None => {}
        }
        parts.push(PartReference {
            number,
            e_tag: part.e_tag.clone(),
        });
    }
    let beyond = listed.into_iter().flat_map(BTreeMap::keys);
    let beyond = beyond.filter(|number| layout.bytes_of(**number).is_none());
    changed.extend(beyond.map(|number| PartFault {
        number: *number,
        kind: PartFaultKind::NoSuchPart,
    }));
    if !incomplete.is_empty() {
        return Err(CompleteUploadError::PartsIncomplete(incomplete));
    }
    if !changed.is_empty() {
        return Err(CompleteUploadError::PartsChanged(changed));
    }
    Ok(parts)
}
