use std::collections::BTreeSet;

use super::{
    FailureReason, Photo, PhotoCommand, PhotoEvent, PhotoState, PhotoStatus, QueuePhoto, RetryCause,
    UploadWindow,
};

/// A command that a photo's state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a photo that is {}{from} can't be asked to {attempted}", if *.deleted { "deleted after being " } else { "" })]
pub struct InvalidTransition {
    /// The state it is in.
    pub from: PhotoStatus,
    /// Whether it is deleted.
    pub deleted: bool,
    /// What was attempted.
    pub attempted: &'static str,
}

use PhotoState::{Cancelled, Completed, Failed, Processing, Queued, Rejected, Uploading, Verifying};

impl Photo {
    /// A new photo's first event.
    pub fn queue(command: QueuePhoto) -> PhotoEvent {
        let QueuePhoto {
            id,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
        } = command;
        PhotoEvent::PhotoQueued {
            photo: id,
            job,
            owner,
            upload_id,
            declared,
            object,
            window,
        }
    }

    /// What a command leads to: the events that record it, none if it changes nothing.
    ///
    /// # Errors
    /// [`InvalidTransition`] for every pair of state and command that the domain's table does not hold.
    pub fn decide(&self, command: PhotoCommand) -> Result<Vec<PhotoEvent>, InvalidTransition> {
        let refused = InvalidTransition {
            from: self.status(),
            deleted: self.deleted,
            attempted: command.name(),
        };
        if self.deleted {
            return Err(refused);
        }
        let state = &self.state;
        let event = match command {
            PhotoCommand::StartUpload => start_upload(state),
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
            PhotoCommand::Retry { window } => retry(state, window),
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
        event.map(|event| vec![event]).ok_or(refused)
    }
}

// One function for each command whose answer differs from state to state. No arm is a wildcard: a new state has to be
// thought about in each of them.

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

const fn retry(state: &PhotoState, window: UploadWindow) -> Option<PhotoEvent> {
    match state {
        Failed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => Some(upload_again(RetryCause::Requested, window)),
        Failed {
            reason: FailureReason::ProcessingError,
        } => Some(verify_again(RetryCause::Requested)),
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
