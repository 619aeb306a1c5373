use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use rapidphoto_api_types as api;
use rapidphoto_application::{
    live::{LiveItem, Snapshot},
    ports::StoredEvent,
    progress::ProgressTick,
};
use rapidphoto_domain::{
    DomainEvent, JobId, PhotoId, StreamId,
    job::JobEvent,
    photo::{PhotoEvent, PhotoStatus},
    values::Progress,
};

use super::frame::event;
use crate::wire;

/// Puts what happens into words for one client.
pub(super) struct Teller {
    poll_after: Duration,
    /// The declared lengths of photos under way: from VERIFYING on, all of it is sent, though the event says no length.
    lengths: HashMap<PhotoId, u64>,
}

impl Teller {
    pub(super) fn new(poll_after: Duration) -> Self {
        Self {
            poll_after,
            lengths: HashMap::new(),
        }
    }

    /// The photo whose length must be noted before this is told: the client came after its promise.
    pub(super) fn lacks(&self, item: &LiveItem) -> Option<PhotoId> {
        let LiveItem::State(stored) = item else {
            return None;
        };
        match (&stored.event, stored.stream) {
            (
                DomainEvent::Photo(PhotoEvent::PhotoUploadCompleted {} | PhotoEvent::PhotoRejected { .. }),
                StreamId::Photo(photo),
            ) if !self.lengths.contains_key(&photo) => Some(photo),
            _ => None,
        }
    }

    /// Notes a photo's declared length.
    pub(super) fn note_length(&mut self, photo: PhotoId, bytes: u64) {
        self.lengths.insert(photo, bytes);
    }

    /// The frame for one thing, if it is one that clients hear of.
    pub(super) fn frame(&mut self, item: &LiveItem) -> Result<Option<Bytes>, serde_json::Error> {
        match item {
            LiveItem::Reset => {
                let reason = "what the client knows is too old to go on from, or unknown".to_owned();
                event("reset", None, &api::StreamReset { reason }).map(Some)
            }
            LiveItem::Snapshot(snapshot) => self.snapshot(snapshot).map(Some),
            LiveItem::Progress(tick) => event("photo", None, &self.progress(*tick)).map(Some),
            LiveItem::State(stored) => self.state(stored),
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<Bytes, serde_json::Error> {
        let cursor = snapshot.cursor().to_string();
        match snapshot {
            Snapshot::User { .. } => {
                let start = api::UserStreamStart {
                    cursor: cursor.clone(),
                };
                event("snapshot", Some(cursor), &start)
            }
            Snapshot::Job(job) => {
                for view in &job.view.photos {
                    if !view.photo.status().is_terminal() {
                        self.note_length(view.photo.id, view.photo.declared.bytes);
                    }
                }
                event(
                    "snapshot",
                    Some(cursor),
                    &wire::job_snapshot(job, self.poll_after),
                )
            }
        }
    }

    fn state(&mut self, stored: &StoredEvent) -> Result<Option<Bytes>, serde_json::Error> {
        let id = Some(stored.cursor.to_string());
        match (&stored.event, stored.stream, stored.job) {
            (DomainEvent::Photo(what), StreamId::Photo(photo), Some(job)) => {
                let data = self.photo(what, photo, job, stored.version.0);
                event("photo", id, &data).map(Some)
            }
            (DomainEvent::Job(what), StreamId::Job(job), _) => {
                event("job", id, &job_event(what, job)).map(Some)
            }
            // A user's own events are no business of a stream; other pairs don't exist.
            (DomainEvent::User(_) | DomainEvent::Photo(_) | DomainEvent::Job(_), _, _) => Ok(None),
        }
    }

    fn progress(&mut self, tick: ProgressTick) -> api::PhotoStreamEvent {
        self.lengths.insert(tick.photo, tick.progress.bytes_total());
        api::PhotoStreamEvent {
            progress: Some(wire::progress(tick.progress)),
            ..blank(tick.photo, tick.job)
        }
    }

    fn photo(
        &mut self,
        what: &PhotoEvent,
        photo: PhotoId,
        job: JobId,
        version: u64,
    ) -> api::PhotoStreamEvent {
        let mut told = api::PhotoStreamEvent {
            version: Some(version),
            ..blank(photo, job)
        };
        let status = match what {
            PhotoEvent::PhotoQueued { declared, .. } => {
                self.lengths.insert(photo, declared.bytes);
                told.progress = Some(wire::progress(Progress::new(0, declared.bytes)));
                Some(PhotoStatus::Queued)
            }
            PhotoEvent::PhotoUploadStarted {} => Some(PhotoStatus::Uploading),
            PhotoEvent::PhotoUploadCompleted {} => Some(PhotoStatus::Verifying),
            PhotoEvent::PhotoProcessingStarted { object } => {
                self.lengths.insert(photo, object.bytes);
                Some(PhotoStatus::Processing)
            }
            PhotoEvent::PhotoProcessingCompleted { result } => {
                self.lengths.insert(photo, result.object.bytes);
                told.warnings = result.warnings.iter().map(wire::finding).collect();
                Some(PhotoStatus::Completed)
            }
            PhotoEvent::PhotoRejected { reasons } => {
                told.reasons = reasons.iter().map(wire::finding).collect();
                Some(PhotoStatus::Rejected)
            }
            PhotoEvent::PhotoFailed { reason } => {
                told.reasons = vec![wire::failure(*reason)];
                Some(PhotoStatus::Failed)
            }
            PhotoEvent::PhotoCancelled {} => Some(PhotoStatus::Cancelled),
            PhotoEvent::PhotoRetried { to, .. } => Some(*to),
            PhotoEvent::PhotoDeleted {} => {
                told.deleted = true;
                None
            }
            // Windows and tags change no status.
            PhotoEvent::PhotoUploadRenewed { .. }
            | PhotoEvent::PhotoTagged { .. }
            | PhotoEvent::PhotoUntagged { .. } => None,
        };
        if let Some(status) = status {
            told.status = Some(wire::photo_status(status));
            if arrived(status)
                && let Some(bytes) = self.lengths.get(&photo)
            {
                told.progress = Some(wire::progress(Progress::complete(*bytes)));
            }
            if status.is_terminal() {
                self.lengths.remove(&photo);
            }
        }
        told
    }
}

/// Whether everything is sent, wherever the photo goes from there.
const fn arrived(status: PhotoStatus) -> bool {
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

fn job_event(what: &JobEvent, job: JobId) -> api::JobStreamEvent {
    let told = api::JobStreamEvent {
        job_id: job.to_string(),
        status: None,
        round: None,
        cancelled: false,
    };
    match what {
        JobEvent::UploadJobCreated { .. } => api::JobStreamEvent {
            status: Some(api::JobStatus::Queued),
            round: Some(1),
            ..told
        },
        JobEvent::UploadJobCompleted { round, status, .. } => api::JobStreamEvent {
            status: Some(wire::job_status(*status)),
            round: Some(*round),
            ..told
        },
        JobEvent::UploadJobReopened { round } => api::JobStreamEvent {
            round: Some(*round),
            ..told
        },
        JobEvent::UploadJobCancelled {} => api::JobStreamEvent {
            cancelled: true,
            ..told
        },
    }
}
