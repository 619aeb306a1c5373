use std::{collections::HashMap, sync::Arc};

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Cleaning, FailureReason, Photo, PhotoCommand, PhotoState, PhotoStatus, UploadWindow},
    values::Checksum,
};

use super::job_item::JobItem;
use crate::{
    batch::PhotoBatch,
    commit::WriteError,
    ports::{
        EventMetadata, ObjectStore, PhotoReads, Ports, PresignedUrl, Presigner, PutGrant, Unavailable,
        WritePorts, existing_photo,
    },
    settings::{Settings, UploadSettings},
};

/// Upload URLs, and the windows that bound them. The end of a photo's last URL is part of its stored state, as cleaning
/// its object depends on it: no URL outlives the stored window.
pub(crate) struct UploadUrls {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    objects: Arc<dyn ObjectStore>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

impl UploadUrls {
    /// Upload URLs on these ports.
    pub(crate) fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            objects: Arc::clone(&ports.objects),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// Returns the photos. Those that wait for an upload get a new window if under half of a URL's lifetime is left, those
    /// whose upload has failed wait for one again.
    pub(crate) async fn with_fresh_windows(
        &self,
        owner: UserId,
        photos: Vec<Photo>,
    ) -> Result<Vec<Photo>, WriteError> {
        let now = self.ports.clock.now();
        let stale = photos.iter().filter(|photo| self.is_stale(photo, now));
        let stale: Vec<PhotoId> = stale.map(|photo| photo.id).collect();
        if stale.is_empty() {
            return Ok(photos);
        }
        let mut renewed = self.renew(owner, &stale).await?;
        let mut fresh = Vec::with_capacity(photos.len());
        for photo in photos {
            fresh.push(match renewed.remove(&photo.id) {
                Some(renewed) => renewed,
                // Deleted since it was read.
                None if self.is_stale(&photo, now) => {
                    existing_photo(&*self.ports.aggregates, photo.id).await?
                }
                None => photo,
            });
        }
        Ok(fresh)
    }

    /// The item of a photo with this declared checksum: with an upload URL that expires with the photo's window, or the parts
    /// of the file, if the photo needs an upload.
    pub(crate) async fn item(
        &self,
        photo: &Photo,
        checksum: Option<Checksum>,
    ) -> Result<JobItem, Unavailable> {
        let wanted = self.wants_bytes(photo).await?;
        let parts = photo.parts().filter(|_| wanted);
        Ok(JobItem {
            photo: photo.id,
            job: photo.job,
            upload_id: photo.upload_id,
            status: photo.status(),
            upload: match parts {
                None if wanted => Some(self.sign(photo, checksum).await?),
                Some(_) | None => None,
            },
            parts,
            duplicate_of: None,
        })
    }

    /// Returns true if the photo needs an upload.
    ///
    /// A photo may be VERIFYING because a client reported an upload that never took place: it gets a URL unless its object
    /// is there. Once its window is over it fails as `upload_missing` within seconds, and can be renewed then.
    pub(crate) async fn wants_bytes(&self, photo: &Photo) -> Result<bool, Unavailable> {
        let reported = !photo.deleted
            && photo.status() == PhotoStatus::Verifying
            && photo.window.url_expires_at > self.ports.clock.now();
        Ok(awaits_bytes(photo) || reported && self.objects.head(&photo.object.key).await?.is_none())
    }

    async fn sign(&self, photo: &Photo, checksum: Option<Checksum>) -> Result<PresignedUrl, Unavailable> {
        let left = photo.window.url_expires_at - self.ports.clock.now();
        let grant = PutGrant {
            key: photo.object.key.clone(),
            mime_type: photo.declared.mime_type,
            bytes: photo.declared.bytes,
            checksum,
            valid_for: left.to_std().unwrap_or_default(),
        };
        self.presigner.put(&grant).await
    }

    /// Begins new windows for photos that have stale ones.
    async fn renew(&self, owner: UserId, stale: &[PhotoId]) -> Result<HashMap<PhotoId, Photo>, WriteError> {
        let metadata = EventMetadata {
            actor: Some(owner),
            ..EventMetadata::default()
        };
        let batch = PhotoBatch {
            ports: &self.ports,
            reads: &*self.photos,
            settings: &self.settings.work,
            owner,
            metadata: &metadata,
        };
        let renewed = batch.write(stale, |photo, now| {
            let window = upload_window(now, &self.settings.uploads);
            let renewal = self
                .is_stale(photo, now)
                .then(|| photo.decide(PhotoCommand::Renew { window }));
            renewal.and_then(Result::ok).unwrap_or_default()
        });
        let renewed = renewed.await?.into_iter();
        Ok(renewed.map(|photo| (photo.id, photo)).collect())
    }

    /// Returns true if the photo needs a new window before it gets URLs.
    pub(super) fn is_stale(&self, photo: &Photo, now: Timestamp) -> bool {
        let fresh_until = now + self.settings.uploads.url_lifetime / 2;
        awaits_bytes(photo) && photo.window.url_expires_at < fresh_until || upload_failed(photo)
    }
}

/// An upload window that begins now.
pub(crate) fn upload_window(now: Timestamp, settings: &UploadSettings) -> UploadWindow {
    UploadWindow {
        url_expires_at: now + settings.url_lifetime,
        ends_at: now + settings.window,
    }
}

/// Returns true if the photo's object may still be uploaded.
const fn awaits_bytes(photo: &Photo) -> bool {
    !photo.deleted && photo.status().awaits_upload()
}

/// Returns true if the photo's upload has failed and can begin again.
pub(crate) fn upload_failed(photo: &Photo) -> bool {
    let failed = matches!(
        photo.state,
        PhotoState::Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        }
    );
    failed && !photo.deleted && photo.cleaning != Cleaning::Started
}
