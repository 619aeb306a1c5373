use std::{collections::HashMap, time::Duration};

use rapidphoto_api_types as api;
use rapidphoto_application::{
    live::{LiveItem, Snapshot},
    ports::{ProgressTick, StoredEvent},
};
use rapidphoto_domain::{
    DomainEvent, JobId, PhotoId, StreamId, UserId,
    job::JobEvent,
    photo::{PhotoEvent, PhotoStatus},
    values::Progress,
};

use super::frame::Frame;
use crate::{cursors::CursorCipher, wire};

/// Encodes domain events for one client.
pub(super) struct EventEncoder {
    owner: UserId,
    cursors: CursorCipher,
    poll_after: Duration,
    /// Sizes in bytes of the photos without a final status. From VERIFYING on, a photo's progress is its whole size, which
    /// its events do not contain.
    sizes: HashMap<PhotoId, u64>,
}

impl EventEncoder {
    pub(super) fn new(owner: UserId, cursors: CursorCipher, poll_after: Duration) -> Self {
        Self {
            owner,
            cursors,
            poll_after,
            sizes: HashMap::new(),
        }
    }

    /// Photo whose size must be set before `item` is encoded, as the stream started after its creation.
    pub(super) fn needs_size_of(&self, item: &LiveItem) -> Option<PhotoId> {
        let LiveItem::State(stored) = item else {
            return None;
        };
        match (&stored.event, stored.stream) {
            (
                DomainEvent::Photo(PhotoEvent::PhotoUploadCompleted {} | PhotoEvent::PhotoRejected { .. }),
                StreamId::Photo(photo),
            ) if !self.sizes.contains_key(&photo) => Some(photo),
            _ => None,
        }
    }

    /// Sets the declared size of a photo.
    pub(super) fn set_size(&mut self, photo: PhotoId, bytes: u64) {
        self.sizes.insert(photo, bytes);
    }

    /// Frame of one item; `None` if clients do not receive this kind of event.
    pub(super) fn encode(&mut self, item: &LiveItem) -> Result<Option<Frame>, serde_json::Error> {
        match item {
            LiveItem::Reset => {
                let reason = "the last event id is unknown or too old to resume from".to_owned();
                Frame::event("reset", None, &api::StreamReset { reason }).map(Some)
            }
            LiveItem::Snapshot(snapshot) => self.snapshot(snapshot).map(Some),
            LiveItem::Progress(tick) => Frame::event("photo", None, &self.progress(*tick)).map(Some),
            LiveItem::State(stored) => self.state(stored),
            LiveItem::JobEnded => end(api::StreamEndReason::JobEnded).map(Some),
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<Frame, serde_json::Error> {
        let cursor = self.cursors.seal(self.owner, snapshot.cursor());
        match snapshot {
            Snapshot::User { .. } => {
                let start = api::UserStreamStart {
                    cursor: cursor.clone(),
                };
                Frame::event("snapshot", Some(cursor), &start)
            }
            Snapshot::Job(job) => {
                for view in &job.view.photos {
                    if !view.photo.status().is_terminal() {
                        self.set_size(view.photo.id, view.photo.declared.bytes);
                    }
                }
                let data = wire::job_snapshot(job, cursor.clone(), self.poll_after);
                Frame::event("snapshot", Some(cursor), &data)
            }
        }
    }

    fn state(&mut self, stored: &StoredEvent) -> Result<Option<Frame>, serde_json::Error> {
        let id = Some(self.cursors.seal(self.owner, stored.cursor));
        match (&stored.event, stored.stream, stored.job) {
            (DomainEvent::Photo(change), StreamId::Photo(photo), Some(job)) => {
                let data = self.photo(change, photo, job, stored.version.0);
                Frame::event("photo", id, &data).map(Some)
            }
            (DomainEvent::Job(change), StreamId::Job(job), _) => {
                Frame::event("job", id, &job_event(change, job)).map(Some)
            }
            // Streams have no account events; other combinations of event and stream do not exist.
            (DomainEvent::User(_) | DomainEvent::Photo(_) | DomainEvent::Job(_), _, _) => Ok(None),
        }
    }

    fn progress(&mut self, tick: ProgressTick) -> api::PhotoStreamEvent {
        self.sizes.insert(tick.photo, tick.progress.bytes_total());
        api::PhotoStreamEvent {
            progress: Some(wire::progress(tick.progress)),
            ..blank(tick.photo, tick.job)
        }
    }

    fn photo(
        &mut self,
        change: &PhotoEvent,
        photo: PhotoId,
        job: JobId,
        version: u64,
    ) -> api::PhotoStreamEvent {
        let mut data = api::PhotoStreamEvent {
            version: Some(version),
            ..blank(photo, job)
        };
        let status = match change {
            PhotoEvent::PhotoQueued { declared, .. } => {
                self.sizes.insert(photo, declared.bytes);
                data.progress = Some(wire::progress(Progress::new(0, declared.bytes)));
                Some(PhotoStatus::Queued)
            }
            PhotoEvent::PhotoUploadStarted {} => Some(PhotoStatus::Uploading),
            PhotoEvent::PhotoUploadCompleted {} => Some(PhotoStatus::Verifying),
            PhotoEvent::PhotoProcessingStarted { object } => {
                self.sizes.insert(photo, object.bytes);
                Some(PhotoStatus::Processing)
            }
            PhotoEvent::PhotoProcessingCompleted { result } => {
                self.sizes.insert(photo, result.object.bytes);
                data.warnings = result.warnings.iter().map(wire::finding).collect();
                Some(PhotoStatus::Completed)
            }
            PhotoEvent::PhotoRejected { reasons } => {
                data.reasons = reasons.iter().map(wire::finding).collect();
                Some(PhotoStatus::Rejected)
            }
            PhotoEvent::PhotoFailed { reason } => {
                data.reasons = vec![wire::failure(*reason)];
                Some(PhotoStatus::Failed)
            }
            PhotoEvent::PhotoCancelled {} => Some(PhotoStatus::Cancelled),
            PhotoEvent::PhotoRetried { to, .. } => Some(*to),
            PhotoEvent::PhotoDeleted {} => {
                data.deleted = true;
                None
            }
            // Upload windows, deleted objects and tags do not affect the status.
            PhotoEvent::PhotoMultipartOpened { .. }
            | PhotoEvent::PhotoUploadRenewed { .. }
            | PhotoEvent::PhotoCleaningStarted {}
            | PhotoEvent::PhotoCleaned {}
            | PhotoEvent::PhotoTagged { .. }
            | PhotoEvent::PhotoUntagged { .. } => None,
        };
        if let Some(status) = status {
            data.status = Some(wire::photo_status(status));
            if is_uploaded(status)
                && let Some(bytes) = self.sizes.get(&photo)
            {
                data.progress = Some(wire::progress(Progress::complete(*bytes)));
            }
            if status.is_terminal() {
                self.sizes.remove(&photo);
            }
        }
        data
    }
}

/// Frame of the last event of a stream.
pub(super) fn end(reason: api::StreamEndReason) -> Result<Frame, serde_json::Error> {
    Frame::event("end", None, &api::StreamEnd { reason })
}

/// Returns true if all bytes of a photo with this status were uploaded.
const fn is_uploaded(status: PhotoStatus) -> bool {
    match status {
        PhotoStatus::Verifying | PhotoStatus::Processing | PhotoStatus::Completed | PhotoStatus::Rejected => {
            true
        }
        PhotoStatus::Queued | PhotoStatus::Uploading | PhotoStatus::Failed | PhotoStatus::Cancelled => false,
    }
}

fn blank(photo: PhotoId, job: JobId) -> api::PhotoStreamEvent {
    api::PhotoStreamEvent {
        job_id: job.to_string(),
        photo_id: photo.to_string(),
        status: None,
        version: None,
        progress: None,
        reasons: Vec::new(),
        warnings: Vec::new(),
        deleted: false,
    }
}

fn job_event(change: &JobEvent, job: JobId) -> api::JobStreamEvent {
    let unchanged = api::JobStreamEvent {
        job_id: job.to_string(),
        status: None,
        round: None,
        cancelled: false,
    };
    match change {
        JobEvent::UploadJobCreated { .. } => api::JobStreamEvent {
            status: Some(api::JobStatus::Queued),
            round: Some(1),
            ..unchanged
        },
        JobEvent::UploadJobCompleted { round, status, .. } => api::JobStreamEvent {
            status: Some(wire::job_status(*status)),
            round: Some(*round),
            ..unchanged
        },
        JobEvent::UploadJobReopened { round } => api::JobStreamEvent {
            round: Some(*round),
            ..unchanged
        },
        JobEvent::UploadJobCancelled {} => api::JobStreamEvent {
            cancelled: true,
            ..unchanged
        },
    }
}
