use std::collections::BTreeSet;

use super::{
    command::{PhotoCommand, QueuePhoto},
    event::{PhotoEvent, RetryCause},
    failure::FailureReason,
    state::{
        Cleaning, Photo,
        PhotoState::{
            self, Cancelled, Completed, Failed, Processing, Queued, Rejected, Uploading, Verifying,
        },
    },
    status::PhotoStatus,
    upload::UploadWindow,
};

/// Command rejected by the state of a photo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't {attempted}: the photo is {from}{}", if *.deleted { " and deleted" } else { "" })]
pub struct InvalidTransition {
    /// Status of the photo.
    pub from: PhotoStatus,
    /// True if the photo is deleted.
    pub deleted: bool,
    /// Name of the command.
    pub attempted: &'static str,
}

impl Photo {
    /// Returns the first event of a new photo.
    pub fn queue(command: QueuePhoto) -> PhotoEvent {
        let QueuePhoto {
            id,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
            part_size,
        } = command;
        PhotoEvent::PhotoQueued {
            photo: id,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
            part_size,
        }
    }

    /// Validates a command and returns the resulting events; none if the command changes nothing.
    ///
    /// # Errors
    /// The state of the photo does not allow the command.
    pub fn decide(&self, command: PhotoCommand) -> Result<Vec<PhotoEvent>, InvalidTransition> {
        let error = InvalidTransition {
            from: self.status(),
            deleted: self.deleted,
            attempted: command.name(),
        };
        if self.deleted {
            return Err(error);
        }
        let state = &self.state;
        let event = match command {
            PhotoCommand::StartUpload => start_upload(state),
            PhotoCommand::OpenMultipart { id, window } => {
                let opens = self.part_size.is_some() && self.status().awaits_upload();
                opens.then_some(PhotoEvent::PhotoMultipartOpened { id, window })
            }
            PhotoCommand::Renew { .. } | PhotoCommand::CompleteUpload | PhotoCommand::Retry { .. }
                if self.cleaning == Cleaning::Started =>
            {
                None
            }
            PhotoCommand::Renew { window } => renew(state, window),
            PhotoCommand::CompleteUpload => complete_upload(state),
            PhotoCommand::StartProcessing { object } => {
                verifying(state).then_some(PhotoEvent::PhotoProcessingStarted { object })
            }
            PhotoCommand::Reject { reasons } => {
                (verifying(state) || processing(state)).then_some(PhotoEvent::PhotoRejected { reasons })
            }
            PhotoCommand::CompleteProcessing { result } => {
                processing(state).then_some(PhotoEvent::PhotoProcessingCompleted { result })
            }
            PhotoCommand::FailMissingUpload => verifying(state).then_some(PhotoEvent::PhotoFailed {
                reason: FailureReason::UploadMissing,
            }),
            PhotoCommand::ExpireUpload => self.status().awaits_upload().then_some(PhotoEvent::PhotoFailed {
                reason: FailureReason::UploadExpired,
            }),
            PhotoCommand::FailProcessing => {
                (verifying(state) || processing(state)).then_some(PhotoEvent::PhotoFailed {
                    reason: FailureReason::ProcessingError,
                })
            }
            PhotoCommand::Cancel => (!self.status().is_terminal()).then_some(PhotoEvent::PhotoCancelled {}),
            PhotoCommand::Retry { window } => retry(state, self.cleaning, window),
            // An earlier worker may have begun, and stopped before it finished.
            PhotoCommand::StartCleaning if self.cleaning == Cleaning::Started => return Ok(Vec::new()),
            PhotoCommand::StartCleaning => {
                (self.status() == PhotoStatus::Failed).then_some(PhotoEvent::PhotoCleaningStarted {})
            }
            PhotoCommand::FinishCleaning => {
                (self.cleaning == Cleaning::Started).then_some(PhotoEvent::PhotoCleaned {})
            }
            PhotoCommand::Tag { labels } => {
                let labels: BTreeSet<_> = labels.difference(&self.tags).cloned().collect();
                if labels.is_empty() {
                    return Ok(Vec::new());
                }
                Some(PhotoEvent::PhotoTagged { labels })
            }
            PhotoCommand::Untag { labels } => {
                let labels: BTreeSet<_> = labels.intersection(&self.tags).cloned().collect();
                if labels.is_empty() {
                    return Ok(Vec::new());
                }
                Some(PhotoEvent::PhotoUntagged { labels })
            }
            PhotoCommand::Delete => self.status().is_terminal().then_some(PhotoEvent::PhotoDeleted {}),
        };
        event.map(|event| vec![event]).ok_or(error)
    }
}

// One function per command whose result depends on the state. No arm is a wildcard, so that a new state must be handled
// in each of them.

const fn start_upload(state: &PhotoState) -> Option<PhotoEvent> {
    match state {
        Queued => Some(PhotoEvent::PhotoUploadStarted {}),
        Uploading
        | Verifying
        | Processing { .. }
        | Completed { .. }
        | Rejected { .. }
        | Failed { .. }
        | Cancelled => None,
    }
}

const fn renew(state: &PhotoState, window: UploadWindow) -> Option<PhotoEvent> {
    match state {
        Queued | Uploading => Some(PhotoEvent::PhotoUploadRenewed { window }),
        Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => Some(upload_again(RetryCause::Renewed, window)),
        Failed {
            reason: FailureReason::ProcessingError,
        }
        | Verifying
        | Processing { .. }
        | Completed { .. }
        | Rejected { .. }
        | Cancelled => None,
    }
}

const fn complete_upload(state: &PhotoState) -> Option<PhotoEvent> {
    match state {
        Queued | Uploading => Some(PhotoEvent::PhotoUploadCompleted {}),
        Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => Some(verify_again(RetryCause::ObjectArrived)),
        Failed {
            reason: FailureReason::ProcessingError,
        }
        | Verifying
        | Processing { .. }
        | Completed { .. }
        | Rejected { .. }
        | Cancelled => None,
    }
}

const fn retry(state: &PhotoState, cleaning: Cleaning, window: UploadWindow) -> Option<PhotoEvent> {
    match state {
        Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => Some(upload_again(RetryCause::Requested, window)),
        Failed {
            reason: FailureReason::ProcessingError,
        } => Some(match cleaning {
            Cleaning::Done => upload_again(RetryCause::Requested, window),
            Cleaning::Kept | Cleaning::Started => verify_again(RetryCause::Requested),
        }),
        Queued
        | Uploading
        | Verifying
        | Processing { .. }
        | Completed { .. }
        | Rejected { .. }
        | Cancelled => None,
    }
}

const fn upload_again(cause: RetryCause, window: UploadWindow) -> PhotoEvent {
    PhotoEvent::PhotoRetried {
        cause,
        to: PhotoStatus::Queued,
        window: Some(window),
    }
}

const fn verify_again(cause: RetryCause) -> PhotoEvent {
    PhotoEvent::PhotoRetried {
        cause,
        to: PhotoStatus::Verifying,
        window: None,
    }
}

const fn verifying(state: &PhotoState) -> bool {
    match state {
        Verifying => true,
        Queued
        | Uploading
        | Processing { .. }
        | Completed { .. }
        | Rejected { .. }
        | Failed { .. }
        | Cancelled => false,
    }
}

const fn processing(state: &PhotoState) -> bool {
    match state {
        Processing { .. } => true,
        Queued | Uploading | Verifying | Completed { .. } | Rejected { .. } | Failed { .. } | Cancelled => {
            false
        }
    }
}
