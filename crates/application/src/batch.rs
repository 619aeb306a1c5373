//! One decision about many photos: one read and one write, however many they are.

use rapidphoto_domain::{
    PhotoId, Timestamp, UserId,
    photo::{Photo, PhotoEvent},
};

use crate::{
    decision::{record_photo, write_unless_moved},
    ports::{EventMetadata, PhotoReads, Unavailable, Versioned, WritePorts},
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

/// How often all of them are tried in one commit; after that each is on its own.
const TOGETHER: usize = 3;
const ALONE: usize = 16;

impl PhotoBatch<'_> {
    /// Writes what `decide` says of each, and gives them as they are then; those that are deleted or somebody else's
    /// are left out. A photo that moved meanwhile is decided about anew.
    pub(crate) async fn write(
        &self,
        photos: &[PhotoId],
        decide: impl Fn(&Photo, Timestamp) -> Vec<PhotoEvent> + Send + Sync,
    ) -> Result<Vec<Photo>, Unavailable> {
        if let Some(written) = self.together(photos, TOGETHER, &decide).await? {
            return Ok(written);
        }
        // Some photo always moves: it shall not hold the others up.
        let mut written = Vec::with_capacity(photos.len());
        for photo in photos {
            match self.together(&[*photo], ALONE, &decide).await? {
                Some(alone) => written.extend(alone),
                None => return Err(Unavailable::record("the photo keeps changing")),
            }
        }
        Ok(written)
    }

    /// All in one commit; nothing if one of them was always changed by others.
    async fn together(
        &self,
        photos: &[PhotoId],
        rounds: usize,
        decide: &(impl Fn(&Photo, Timestamp) -> Vec<PhotoEvent> + Send + Sync),
    ) -> Result<Option<Vec<Photo>>, Unavailable> {
        for _ in 0..rounds {
            let known = self.reads.by_ids(self.owner, photos).await?;
            let mut commit = self.ports.commit(self.metadata.clone());
            let mut after = Vec::with_capacity(known.len());
            for view in known {
                let events = decide(&view.photo, commit.at);
                if events.is_empty() {
                    after.push(view.photo);
                    continue;
                }
                let before = Versioned {
                    version: view.version,
                    value: view.photo,
                };
                let ids = self.ports.ids.as_ref();
                after.push(record_photo(&mut commit, &before, events, ids, self.settings));
            }
            if commit.changes.is_empty() {
                return Ok(Some(after));
            }
            if write_unless_moved(&*self.ports.journal, commit).await? {
                return Ok(Some(after));
            }
        }
        Ok(None)
    }
}
