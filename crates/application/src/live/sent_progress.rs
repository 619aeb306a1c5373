use std::collections::HashMap;

use rapidphoto_domain::{DomainEvent, PhotoId, StreamId, photo::PhotoEvent};

use crate::{
    jobs::JobSnapshot,
    ports::{ProgressTick, StoredEvent},
};

/// Progress that one watcher has received, so that it never sees an upload's progress decrease. The board alone doesn't
/// ensure that: an upload that was removed from it can be added again with the lower progress of another process.
#[derive(Debug, Default)]
pub(super) struct SentProgress {
    /// Bytes of each running upload.
    bytes: HashMap<PhotoId, u64>,
}

impl SentProgress {
    /// Progress that a snapshot contains.
    pub(super) fn of(snapshot: &JobSnapshot) -> Self {
        let uploads = snapshot.view.photos.iter().zip(&snapshot.progress);
        let running = uploads.filter(|(view, _)| view.photo.status().awaits_upload());
        Self {
            bytes: running
                .map(|(view, progress)| (view.photo.id, progress.bytes_sent()))
                .collect(),
        }
    }

    /// Records a tick. Returns false if the watcher has received as much before.
    pub(super) fn raise(&mut self, tick: ProgressTick) -> bool {
        let sent = tick.progress.bytes_sent();
        let last = self.bytes.entry(tick.photo).or_default();
        let is_more = sent > *last;
        *last = sent.max(*last);
        is_more
    }

    /// Forgets the progress of an upload that an event ends or restarts.
    pub(super) fn apply(&mut self, event: &StoredEvent) {
        if let (StreamId::Photo(photo), DomainEvent::Photo(change)) = (event.stream, &event.event)
            && ends_progress(change)
        {
            self.bytes.remove(&photo);
        }
    }
}

/// Returns true if an event makes earlier progress of the upload obsolete: it completed, ended or restarted.
pub(super) const fn ends_progress(event: &PhotoEvent) -> bool {
    match event {
        PhotoEvent::PhotoUploadCompleted {}
        | PhotoEvent::PhotoRetried { .. }
        | PhotoEvent::PhotoProcessingCompleted { .. }
        | PhotoEvent::PhotoRejected { .. }
        | PhotoEvent::PhotoFailed { .. }
        | PhotoEvent::PhotoCancelled {}
        | PhotoEvent::PhotoDeleted {} => true,
        PhotoEvent::PhotoQueued { .. }
        | PhotoEvent::PhotoUploadStarted {}
        | PhotoEvent::PhotoMultipartOpened { .. }
        | PhotoEvent::PhotoUploadRenewed { .. }
        | PhotoEvent::PhotoProcessingStarted { .. }
        | PhotoEvent::PhotoTagged { .. }
        | PhotoEvent::PhotoCleaningStarted {}
        | PhotoEvent::PhotoCleaned {}
        | PhotoEvent::PhotoUntagged { .. } => false,
    }
}
