use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use rapidphoto_domain::{
    Timestamp,
    photo::{Photo, PhotoCommand, PhotoStatus},
    values::ThumbnailEdge,
};

use super::{
    failure::WorkError,
    orders::{FIRST_LATE_LOOK_DELAY, LAST_LATE_LOOK_DELAY, after_last_url},
    outcome::{Decision, RETRY, commit_outcome, load},
    requests::Operation,
};
use crate::{
    commit::{Decided, commit_with_retry},
    decision::record_photo,
    ports::{Claim, Due, MultipartUploads, ObjectStore, Unavailable, WorkQueue, WritePorts},
    settings::Settings,
    trace,
};

/// `clean` work: deletes the stored objects of photos that were deleted, cancelled or rejected, or that failed.
pub(super) struct Clean {
    pub(super) ports: WritePorts,
    pub(super) queue: Arc<dyn WorkQueue>,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) multipart: Arc<dyn MultipartUploads>,
    pub(super) settings: Arc<Settings>,
}

/// Time after which no worker still writes thumbnails of a photo that was cancelled or deleted during processing.
const WORKER_STOP_DELAY: Duration = Duration::from_hours(1);

impl Clean {
    pub(super) async fn run(&self, claim: &Claim) -> Result<(), WorkError> {
        if let Some(photo) = self.begin(claim).await? {
            let deletion = self.delete_objects(&photo);
            // The lease was renewed just before. A deletion that outlives it could run beside another worker's, and take
            // the object of a retry that follows.
            tokio::time::timeout(self.settings.work.lease, deletion)
                .await
                .map_err(|late| WorkError::storage(Operation::Delete)(Unavailable::storage(late)))??;
        }
        commit_outcome(&self.ports, &self.settings.work, claim, |photo, now| {
            let decision = match next_pass(photo, now, claim) {
                Some(due) => Decision::postpone(claim, due, claim.attempts.saturating_add(1)),
                None => Decision::finish(claim),
            };
            // Rejected for all photos but failed ones, which can be retried from here on.
            let cleaned = photo.decide(PhotoCommand::FinishCleaning);
            Ok(decision.with_events(cleaned.unwrap_or_default()))
        })
        .await
    }

    /// Records that the objects of a failed photo are being deleted, from which on it can't be retried until they are
    /// gone. Returns the photo if its objects are to be deleted.
    ///
    /// A retry drops the work and changes the photo's version: one before the renewal ends the claim, and one after the
    /// photo was loaded is a conflict, after which the photo's objects are wanted.
    async fn begin(&self, claim: &Claim) -> Result<Option<Photo>, WorkError> {
        commit_with_retry(&*self.ports.journal, RETRY, || async {
            let photo = load(&self.ports, claim).await?;
            let Some(photo) = photo.filter(|photo| objects_are_unwanted(&photo.value)) else {
                return Ok(Decided::Nothing(None));
            };
            let held = self.queue.renew(claim.token, self.settings.work.lease).await;
            if !held.map_err(WorkError::Database)? {
                return Err(WorkError::Lost);
            }
            // Other photos than failed ones are never retried.
            let events = photo.value.decide(PhotoCommand::StartCleaning);
            let mut commit = self.ports.commit(trace::metadata());
            let (events, ids) = (events.unwrap_or_default(), &*self.ports.ids);
            let photo = record_photo(&mut commit, &photo, events, ids, &self.settings.work);
            Ok(Decided::of(commit, Some(photo)))
        })
        .await
    }

    async fn delete_objects(&self, photo: &Photo) -> Result<(), WorkError> {
        // Before the original is deleted: afterwards the upload can't make it.
        if let Some(upload) = &photo.multipart {
            let aborted = self.multipart.abort(&photo.object.key, upload).await;
            aborted.map_err(WorkError::storage(Operation::Delete))?;
        }
        let keys = &self.settings.storage.keys;
        let thumbnails = ThumbnailEdge::ALL.map(|edge| keys.thumbnail(photo.owner, photo.id, edge));
        let all = std::iter::once(photo.object.key.clone()).chain(thumbnails);
        let deletions = all.map(|key| async move { self.objects.delete(&key).await });
        try_join_all(deletions)
            .await
            .map(|_| ())
            .map_err(WorkError::storage(Operation::Delete))
    }
}

/// Returns true if none of the photo's stored objects is needed any more.
fn objects_are_unwanted(photo: &Photo) -> bool {
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

/// Time of the next pass; `None` if there is none. Passes are repeated while a PUT that began before the last URL
/// expired may still arrive, and once more if a worker may have written thumbnails after the first pass.
///
/// The claim's attempts count the passes.
fn next_pass(photo: &Photo, now: Timestamp, claim: &Claim) -> Option<Due> {
    if !objects_are_unwanted(photo) {
        return None;
    }
    let late = [FIRST_LATE_LOOK_DELAY, LAST_LATE_LOOK_DELAY].map(|delay| after_last_url(photo, delay));
    let cancelled_or_deleted = photo.deleted || photo.status() == PhotoStatus::Cancelled;
    let once_more = (cancelled_or_deleted && claim.attempts == 0).then_some(Due::After(WORKER_STOP_DELAY));
    let late = late.into_iter().find(|at| *at > now);
    late.map(|at| Due::at(at, now)).or(once_more)
}
