use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use rapidphoto_domain::{
    Timestamp,
    photo::{Photo, PhotoStatus},
    values::ThumbnailEdge,
};

use super::{
    failure::WorkError,
    orders::{FIRST_LATE_LOOK, LAST_LATE_LOOK, after_last_url},
    settle::{Decision, load, settle},
};
use crate::{
    ports::{Claim, ObjectStore, WorkQueue, WritePorts},
    settings::Settings,
};

/// Takes out of storage what a photo that came to nothing has left there.
pub(super) struct Clean {
    pub(super) record: WritePorts,
    pub(super) queue: Arc<dyn WorkQueue>,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) settings: Arc<Settings>,
}

/// After this long, no worker still writes thumbnails of a photo that was given up while it was worked on.
const UNTIL_WORKERS_KNOW: Duration = Duration::from_hours(1);

impl Clean {
    pub(super) async fn run(&self, claim: &Claim) -> Result<(), WorkError> {
        let photo = load(&self.record, claim).await?.map(|photo| photo.value);
        if let Some(photo) = photo.filter(may_be_cleaned) {
            // A retry takes the claim away: asked last thing before the deletion, so that it does not pull the object
            // out from under a photo that has just come back to life.
            let held = self.queue.renew(claim.token, self.settings.work.lease).await;
            if !held.map_err(WorkError::Record)? {
                return Err(WorkError::Lost);
            }
            self.delete_objects(&photo).await?;
        }
        settle(&self.record, &self.settings.work, claim, |photo, now| {
            Ok(match next_pass(photo, now, claim) {
                Some(due) => Decision::postpone(claim, due, claim.attempts.saturating_add(1)),
                None => Decision::finish(claim),
            })
        })
        .await
    }

    async fn delete_objects(&self, photo: &Photo) -> Result<(), WorkError> {
        let keys = &self.settings.storage.keys;
        let thumbnails = ThumbnailEdge::ALL.map(|edge| keys.thumbnail(photo.owner, photo.id, edge));
        let all = std::iter::once(photo.object.key.clone()).chain(thumbnails);
        let deletions = all.map(|key| async move { self.objects.delete(&key).await });
        try_join_all(deletions)
            .await
            .map(|_| ())
            .map_err(WorkError::Storage)
    }
}

/// Whether nothing in storage is wanted any more.
fn may_be_cleaned(photo: &Photo) -> bool {
    photo.deleted
        || match photo.status() {
            PhotoStatus::Rejected | PhotoStatus::Failed | PhotoStatus::Cancelled => true,
            PhotoStatus::Queued
            | PhotoStatus::Uploading
            | PhotoStatus::Verifying
            | PhotoStatus::Processing
            | PhotoStatus::Completed => false,
        }
}

/// When to clean again: while a PUT that began before the last URL's end may still arrive, and once more when a worker
/// may have written behind the first pass. Attempts count the passes.
fn next_pass(photo: &Photo, now: Timestamp, claim: &Claim) -> Option<Timestamp> {
    if !may_be_cleaned(photo) {
        return None;
    }
    let late = [FIRST_LATE_LOOK, LAST_LATE_LOOK].map(|pause| after_last_url(photo, pause));
    let given_up = photo.deleted || photo.status() == PhotoStatus::Cancelled;
    let once_more = (given_up && claim.attempts == 0).then_some(now + UNTIL_WORKERS_KNOW);
    late.into_iter().find(|due| *due > now).or(once_more)
}
