//! Decisions on several photos of a user, with one read and one commit for each [`PHOTOS_PER_COMMIT`] of them.

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Photo, PhotoEvent},
};

use crate::{
    commit::{Decided, RetryPolicy, WriteError, commit_with_retry},
    decision::record_photo,
    ports::{EventMetadata, PhotoReads, Versioned, WritePorts},
    settings::WorkSettings,
};

/// Photos of one user that are decided about together.
pub(crate) struct PhotoBatch<'a> {
    pub(crate) ports: &'a WritePorts,
    pub(crate) reads: &'a dyn PhotoReads,
    pub(crate) settings: &'a WorkSettings,
    pub(crate) owner: UserId,
    pub(crate) metadata: &'a EventMetadata,
}

/// Photos in one commit. More of them would keep other commits waiting, and conflict more often.
pub(crate) const PHOTOS_PER_COMMIT: usize = 100;

/// All photos of a chunk in one commit. Few attempts: after them each photo has a commit of its own.
const BATCH_RETRY: RetryPolicy = RetryPolicy::on_conflict("one of the photos", 3);
/// One photo in a commit.
const PHOTO_RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 16);

impl PhotoBatch<'_> {
    /// Commits the events that `decide` returns for each photo, in chunks. Returns the photos after them; deleted photos and those
    /// of other users are left out. `decide` is called again for photos that were changed concurrently.
    pub(crate) async fn write(
        &self,
        photos: &[PhotoId],
        decide: impl Fn(&Photo, Timestamp) -> Vec<PhotoEvent> + Send + Sync,
    ) -> Result<Vec<Photo>, WriteError> {
        let mut written = Vec::with_capacity(photos.len());
        for chunk in photos.chunks(PHOTOS_PER_COMMIT) {
            match self.commit(chunk, BATCH_RETRY, &decide).await {
                // A photo that changes all the time must not delay the others.
                Err(WriteError::Contended(_)) => {
                    for photo in chunk {
                        written.extend(self.commit(&[*photo], PHOTO_RETRY, &decide).await?);
                    }
                }
                together => written.extend(together?),
            }
        }
        Ok(written)
    }

    async fn commit(
        &self,
        photos: &[PhotoId],
        policy: RetryPolicy,
        decide: &(impl Fn(&Photo, Timestamp) -> Vec<PhotoEvent> + Send + Sync),
    ) -> Result<Vec<Photo>, WriteError> {
        commit_with_retry(&*self.ports.journal, policy, || async {
            let known = self.reads.by_ids(self.owner, photos).await?;
            let mut commit = self.ports.commit(self.metadata.clone());
            let mut after = Vec::with_capacity(known.len());
            for view in known {
                let events = decide(&view.photo, commit.at);
                let before = Versioned {
                    version: view.version,
                    value: view.photo,
                };
                let ids = self.ports.ids.as_ref();
                after.push(record_photo(&mut commit, &before, events, ids, self.settings));
            }
            Ok(Decided::of(commit, after))
        })
        .await
    }
}
