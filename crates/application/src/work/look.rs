use std::{sync::Arc, time::Duration};

use rapidphoto_domain::{
    Timestamp,
    photo::{Cleaning, FailureReason, InvalidTransition, Photo, PhotoCommand, PhotoState, PhotoStatus},
};

use super::{
    arrival::{self, Arrived},
    backoff,
    failure::WorkError,
    orders::{FIRST_LATE_LOOK_DELAY, LAST_LATE_LOOK_DELAY, after_last_url},
    outcome::{Decision, commit_outcome},
    requests::Operation,
};
use crate::{
    ports::{Claim, Due, MultipartUploads, ObjectStore, PhotoReads, UploadActivity, WritePorts},
    settings::Settings,
};

/// `look` work: checks if a photo's object is in storage and advances the photo accordingly.
pub(super) struct Look {
    pub(super) ports: WritePorts,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) multipart: Arc<dyn MultipartUploads>,
    pub(super) photos: Arc<dyn PhotoReads>,
    pub(super) activity: Arc<dyn UploadActivity>,
    pub(super) settings: Arc<Settings>,
}

/// Longest interval between two looks for an object whose upload was not reported.
const MAX_LOOK_INTERVAL: Duration = Duration::from_hours(1);

impl Look {
    /// Looks for the object of the photo as loaded with the claim.
    pub(super) async fn run(&self, claim: &Claim, photo: Option<Photo>) -> Result<(), WorkError> {
        if let Some(photo) = &photo {
            self.abort_expired(photo).await?;
        }
        let seen = match photo {
            Some(photo) if needs_object(&photo) && !self.claims_exhausted(claim, &photo) => {
                let head = self.objects.head(&photo.object.key).await;
                match head.map_err(WorkError::storage(Operation::Head))? {
                    Some(head) => Some(Arrived {
                        head,
                        declared_checksum: arrival::declared_checksum(&*self.photos, claim).await?,
                    }),
                    None => None,
                }
            }
            _ => None,
        };
        // Read before the decision, which may be repeated: an activity that is recorded meanwhile is seen by the next look.
        let last_activity = match &seen {
            None => self.last_activity(claim).await?,
            Some(_) => None,
        };
        fail::fail_point!("look.before-commit", seen.is_some(), |_| std::process::abort());
        commit_outcome(&self.ports, &self.settings.work, claim, |photo, now| {
            self.decide(photo, now, claim, seen.as_ref(), last_activity)
        })
        .await?;
        fail::fail_point!("look.after-commit", seen.is_some(), |_| std::process::abort());
        Ok(())
    }

    /// Removes the parts of a failed upload, which begins anew if it is renewed.
    async fn abort_expired(&self, photo: &Photo) -> Result<(), WorkError> {
        let Some(upload) = photo
            .multipart
            .as_ref()
            .filter(|_| photo.status() == PhotoStatus::Failed)
        else {
            return Ok(());
        };
        let aborted = self.multipart.abort(&photo.object.key, upload).await;
        aborted.map_err(WorkError::storage(Operation::Delete))
    }

    /// Last stored sign of life of the photo's upload.
    pub(super) async fn last_activity(&self, claim: &Claim) -> Result<Option<Timestamp>, WorkError> {
        let read = self.activity.last_activity(claim.token.photo).await;
        read.map_err(WorkError::Database)
    }

    /// Decides what follows from a look; `seen` is the object if there is one.
    pub(super) fn decide(
        &self,
        photo: &Photo,
        now: Timestamp,
        claim: &Claim,
        seen: Option<&Arrived>,
        last_activity: Option<Timestamp>,
    ) -> Result<Decision, InvalidTransition> {
        let done = Decision::finish(claim);
        if photo.deleted {
            return Ok(done);
        }
        match &photo.state {
            PhotoState::Queued | PhotoState::Uploading => match seen {
                Some(arrived) => self.complete_upload(photo, claim, arrived),
                None => self.keep_waiting(photo, now, claim, last_activity),
            },
            PhotoState::Verifying if self.claims_exhausted(claim, photo) => {
                Ok(done.with_events(photo.decide(PhotoCommand::FailProcessing)?))
            }
            PhotoState::Verifying => match seen {
                Some(arrived) => {
                    Ok(done.with_events(arrival::decide_verification(photo, arrived, &self.settings)?))
                }
                None => self.look_again(photo, claim),
            },
            PhotoState::Failed {
                reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
            } if photo.cleaning != Cleaning::Started => match seen {
                Some(arrived) => self.complete_upload(photo, claim, arrived),
                None => Ok(next_late_look(photo, now)
                    .map_or(done, |at| Decision::postpone(claim, Due::at(at, now), 0))),
            },
            // Its object may be gone in a moment: a look that meets the deletion is too late.
            PhotoState::Failed { .. }
            | PhotoState::Processing { .. }
            | PhotoState::Completed { .. }
            | PhotoState::Rejected { .. }
            | PhotoState::Cancelled => Ok(done),
        }
    }

    /// The object exists though its upload was not reported: the upload completes and is verified in one commit.
    fn complete_upload(
        &self,
        photo: &Photo,
        claim: &Claim,
        arrived: &Arrived,
    ) -> Result<Decision, InvalidTransition> {
        let mut events = photo.decide(PhotoCommand::CompleteUpload)?;
        let verifying = events.iter().fold(photo.clone(), Photo::apply);
        events.extend(arrival::decide_verification(&verifying, arrived, &self.settings)?);
        Ok(Decision::finish(claim).with_events(events))
    }

    /// There is no object yet. The upload expires at the end of its window, which client activity extends.
    fn keep_waiting(
        &self,
        photo: &Photo,
        now: Timestamp,
        claim: &Claim,
        last_activity: Option<Timestamp>,
    ) -> Result<Decision, InvalidTransition> {
        let after_url = photo.window.url_expires_at + self.settings.work.look_grace;
        let end = last_activity
            .map_or(photo.window.ends_at, |seen| {
                photo.window.ends_at.max(seen + self.settings.uploads.window)
            })
            .max(after_url);
        if now >= end {
            return Ok(Decision::finish(claim).with_events(photo.decide(PhotoCommand::ExpireUpload)?));
        }
        let due = if now < after_url {
            after_url
        } else {
            now + MAX_LOOK_INTERVAL
        };
        let due = due.min(now + MAX_LOOK_INTERVAL).min(end);
        Ok(Decision::postpone(claim, Due::at(due, now), 0))
    }

    /// The upload was reported, but there is no object. The claim's attempts count the looks.
    fn look_again(&self, photo: &Photo, claim: &Claim) -> Result<Decision, InvalidTransition> {
        let looks = claim.attempts.saturating_add(1);
        if looks >= self.settings.work.max_looks {
            return Ok(Decision::finish(claim).with_events(photo.decide(PhotoCommand::FailMissingUpload)?));
        }
        let min_interval = self.settings.work.look_pause;
        let jitter = backoff::jitter(min_interval * 2, &*self.ports.ids);
        Ok(Decision::postpone(
            claim,
            Due::After(min_interval + jitter),
            looks,
        ))
    }

    /// Returns true if a photo in VERIFYING was claimed too often: its verification probably crashes the worker.
    fn claims_exhausted(&self, claim: &Claim, photo: &Photo) -> bool {
        self.settings.work.claims_exhausted(claim) && photo.state == PhotoState::Verifying
    }
}

/// Returns true if the next state of the photo depends on the existence of its object.
const fn needs_object(photo: &Photo) -> bool {
    if photo.deleted {
        return false;
    }
    match photo.state {
        PhotoState::Queued
        | PhotoState::Uploading
        | PhotoState::Verifying
        | PhotoState::Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => true,
        PhotoState::Failed {
            reason: FailureReason::ProcessingError,
        }
        | PhotoState::Processing { .. }
        | PhotoState::Completed { .. }
        | PhotoState::Rejected { .. }
        | PhotoState::Cancelled => false,
    }
}

/// Time of the next look for the object of a failed upload. There are two, so that no successful PUT is lost.
fn next_late_look(photo: &Photo, now: Timestamp) -> Option<Timestamp> {
    [FIRST_LATE_LOOK_DELAY, LAST_LATE_LOOK_DELAY]
        .map(|delay| after_last_url(photo, delay))
        .into_iter()
        .find(|due| *due > now)
}
