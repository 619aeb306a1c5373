use std::collections::BTreeSet;

use super::{
    event::PhotoEvent,
    state::{Cleaning, Photo, PhotoState},
    status::PhotoStatus,
};

/// Error of folding events into a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a photo's stream must begin with PhotoQueued")]
pub struct FoldError;

impl Photo {
    /// State after the first event of a stream.
    ///
    /// # Errors
    /// The event is not `PhotoQueued`.
    pub fn begin(first: &PhotoEvent) -> Result<Self, FoldError> {
        let PhotoEvent::PhotoQueued {
            photo,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
            part_size,
        } = first
        else {
            return Err(FoldError);
        };
        Ok(Self {
            id: *photo,
            job: *job,
            owner: *owner,
            upload_id: *upload_id,
            declared: *declared,
            object: object.clone(),
            window: *window,
            part_size: *part_size,
            multipart: None,
            tags: BTreeSet::new(),
            deleted: false,
            retries: 0,
            cleaning: Cleaning::Kept,
            state: PhotoState::Queued,
        })
    }

    /// State after all events of a stream.
    ///
    /// # Errors
    /// The stream is empty or begins with another event.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a PhotoEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let photo = Self::begin(events.next().ok_or(FoldError)?)?;
        Ok(events.fold(photo, Self::apply))
    }

    /// State after one more event. Events are facts: applying one never fails.
    pub fn apply(mut self, event: &PhotoEvent) -> Self {
        match event {
            // Only the first event of a stream creates the photo; a later one changes nothing.
            PhotoEvent::PhotoQueued { .. } => {}
            PhotoEvent::PhotoUploadStarted {} => self.state = PhotoState::Uploading,
            PhotoEvent::PhotoMultipartOpened { id, window } => {
                self.multipart = Some(id.clone());
                self.window = *window;
            }
            PhotoEvent::PhotoUploadRenewed { window } => self.window = *window,
            PhotoEvent::PhotoUploadCompleted {} => self.state = PhotoState::Verifying,
            PhotoEvent::PhotoProcessingStarted { object } => {
                self.state = PhotoState::Processing { object: *object };
            }
            PhotoEvent::PhotoProcessingCompleted { result } => {
                self.state = PhotoState::Completed {
                    result: result.clone(),
                };
            }
            PhotoEvent::PhotoRejected { reasons } => {
                self.state = PhotoState::Rejected {
                    reasons: reasons.clone(),
                };
            }
            PhotoEvent::PhotoFailed { reason } => self.state = PhotoState::Failed { reason: *reason },
            PhotoEvent::PhotoCancelled {} => self.state = PhotoState::Cancelled,
            PhotoEvent::PhotoRetried { to, window, .. } => {
                self.state = if *to == PhotoStatus::Queued {
                    // The upload in parts may have been aborted after the failure.
                    self.multipart = None;
                    PhotoState::Queued
                } else {
                    PhotoState::Verifying
                };
                self.window = window.unwrap_or(self.window);
                self.retries = self.retries.saturating_add(1);
                self.cleaning = Cleaning::Kept;
            }
            PhotoEvent::PhotoCleaningStarted {} => self.cleaning = Cleaning::Started,
            PhotoEvent::PhotoCleaned {} => self.cleaning = Cleaning::Done,
            PhotoEvent::PhotoTagged { labels } => self.tags.extend(labels.iter().cloned()),
            PhotoEvent::PhotoUntagged { labels } => self.tags.retain(|label| !labels.contains(label)),
            PhotoEvent::PhotoDeleted {} => self.deleted = true,
        }
        self
    }
}
