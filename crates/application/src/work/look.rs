use std::{sync::Arc, time::Duration};

use rapidphoto_domain::{
    PhotoId, Timestamp,
    photo::{FailureReason, InvalidTransition, Photo, PhotoCommand, PhotoState},
};

use super::{
    SignsOfLife, arrival,
    failure::WorkError,
    orders::{FIRST_LATE_LOOK, LAST_LATE_LOOK, after_last_url},
    pause,
    settle::{Decision, load, settle},
};
use crate::{
    Record,
    ports::{Claim, ObjectHead, ObjectStore},
    settings::Settings,
};

/// Looks whether an object has arrived, and says what follows from that.
pub(super) struct Look {
    pub(super) record: Record,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) life: Arc<dyn SignsOfLife>,
    pub(super) settings: Arc<Settings>,
}

/// The longest pause between two looks for an object of which nobody has told.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

impl Look {
    pub(super) async fn run(&self, claim: &Claim) -> Result<(), WorkError> {
        let photo = load(&self.record, claim).await?;
        let seen = match photo {
            Some(photo) if looks_for_object(&photo.value) && !self.used_up(claim, &photo.value) => {
                let head = self.objects.head(&photo.value.object.key).await;
                head.map_err(WorkError::Storage)?
            }
            _ => None,
        };
        fail::fail_point!("look.before-commit", seen.is_some(), |_| std::process::abort());
        settle(&self.record, &self.settings.work, claim, |photo, now| {
            self.decide(photo, now, claim, seen.as_ref())
        })
        .await?;
        fail::fail_point!("look.after-commit", seen.is_some(), |_| std::process::abort());
        Ok(())
    }

    fn decide(
        &self,
        photo: &Photo,
        now: Timestamp,
        claim: &Claim,
        seen: Option<&ObjectHead>,
    ) -> Result<Decision, InvalidTransition> {
        let done = Decision::finish(claim);
        if photo.deleted {
            return Ok(done);
        }
        match &photo.state {
            PhotoState::Queued | PhotoState::Uploading => match seen {
                Some(head) => self.turned_up(photo, claim, head),
                None => self.wait_on(photo, now, claim),
            },
            PhotoState::Verifying if self.used_up(claim, photo) => {
                Ok(done.with(photo.decide(PhotoCommand::FailProcessing)?))
            }
            PhotoState::Verifying => match seen {
                Some(head) => Ok(done.with(arrival::verified(photo, head, &self.settings)?)),
                None => self.look_again(photo, now, claim),
            },
            PhotoState::Failed {
                reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
            } => match seen {
                Some(head) => self.turned_up(photo, claim, head),
                None => Ok(next_late_look(photo, now).map_or(done, |due| Decision::postpone(claim, due, 0))),
            },
            PhotoState::Failed {
                reason: FailureReason::ProcessingError,
            }
            | PhotoState::Processing { .. }
            | PhotoState::Completed { .. }
            | PhotoState::Rejected { .. }
            | PhotoState::Cancelled => Ok(done),
        }
    }

    /// The object is there though nobody told: it is reported and verified at one go.
    fn turned_up(
        &self,
        photo: &Photo,
        claim: &Claim,
        head: &ObjectHead,
    ) -> Result<Decision, InvalidTransition> {
        let mut events = photo.decide(PhotoCommand::CompleteUpload)?;
        let verifying = events.iter().fold(photo.clone(), Photo::apply);
        events.extend(arrival::verified(&verifying, head, &self.settings)?);
        Ok(Decision::finish(claim).with(events))
    }

    /// Nothing there yet. The upload ends with its window, which every sign of life extends.
    fn wait_on(&self, photo: &Photo, now: Timestamp, claim: &Claim) -> Result<Decision, InvalidTransition> {
        let after_url = photo.window.url_expires_at + self.settings.work.look_grace;
        let ticked = self.life.last_tick(photo.id);
        let end = ticked
            .map_or(photo.window.ends_at, |tick| {
                photo.window.ends_at.max(tick + self.settings.uploads.window)
            })
            .max(after_url);
        if now >= end {
            return Ok(Decision::finish(claim).with(photo.decide(PhotoCommand::ExpireUpload)?));
        }
        let due = if now < after_url {
            after_url
        } else {
            now + LONGEST_WAIT
        };
        Ok(Decision::postpone(claim, due.min(now + LONGEST_WAIT).min(end), 0))
    }

    /// It was said to be there and is not. Attempts count the looks.
    fn look_again(
        &self,
        photo: &Photo,
        now: Timestamp,
        claim: &Claim,
    ) -> Result<Decision, InvalidTransition> {
        let looks = claim.attempts.saturating_add(1);
        if looks >= self.settings.work.max_looks {
            return Ok(Decision::finish(claim).with(photo.decide(PhotoCommand::FailMissingUpload)?));
        }
        let least = self.settings.work.look_pause;
        let due = pause::after(now, least + pause::part_of(least * 2, &*self.record.ids));
        Ok(Decision::postpone(claim, due, looks))
    }

    /// Whether looking at this photo has killed its worker too often.
    fn used_up(&self, claim: &Claim, photo: &Photo) -> bool {
        claim.claims > self.settings.work.max_claims && photo.state == PhotoState::Verifying
    }
}

/// Whether a photo's state depends on whether its object is there.
const fn looks_for_object(photo: &Photo) -> bool {
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

/// When an upload that failed is looked for again: twice, so that no PUT that was answered is lost.
fn next_late_look(photo: &Photo, now: Timestamp) -> Option<Timestamp> {
    [FIRST_LATE_LOOK, LAST_LATE_LOOK]
        .map(|pause| after_last_url(photo, pause))
        .into_iter()
        .find(|due| *due > now)
}

impl SignsOfLife for crate::progress::ProgressBoard {
    fn last_tick(&self, photo: PhotoId) -> Option<Timestamp> {
        self.last_sign_of_life(photo)
    }
}
