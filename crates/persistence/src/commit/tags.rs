use std::collections::BTreeSet;

use rapidphoto_application::ports::NewEvent;
use rapidphoto_domain::{
    DomainEvent,
    photo::{Photo, PhotoEvent},
    values::TagLabel,
};

use crate::rows::TagRow;

/// Changes of the index of photos by tag.
#[derive(Default)]
pub(crate) struct TagChanges {
    pub(crate) added: Vec<TagRow>,
    pub(crate) removed: Vec<TagRow>,
}

impl TagChanges {
    /// Adds the changes that a photo's new events make; `photo` is the state after them.
    pub(crate) fn add(&mut self, namespace: &str, photo: &Photo, events: &[NewEvent]) {
        let changed: BTreeSet<&TagLabel> = events
            .iter()
            .filter_map(|event| changed_labels(photo, &event.event))
            .flatten()
            .collect();
        for label in changed {
            let row = TagRow {
                namespace: namespace.to_owned(),
                owner: photo.owner.to_string(),
                label: label.to_string(),
                photo_id: photo.id.to_string(),
            };
            if photo.tags.contains(label) && !photo.deleted {
                self.added.push(row);
            } else {
                self.removed.push(row);
            }
        }
    }
}

/// Labels whose entries an event adds or removes.
pub(super) fn changed_labels<'a>(photo: &'a Photo, event: &'a DomainEvent) -> Option<&'a BTreeSet<TagLabel>> {
    let DomainEvent::Photo(event) = event else {
        return None;
    };
    match event {
        PhotoEvent::PhotoTagged { labels } | PhotoEvent::PhotoUntagged { labels } => Some(labels),
        PhotoEvent::PhotoDeleted {} => Some(&photo.tags),
        PhotoEvent::PhotoQueued { .. }
        | PhotoEvent::PhotoUploadStarted {}
        | PhotoEvent::PhotoMultipartOpened { .. }
        | PhotoEvent::PhotoUploadRenewed { .. }
        | PhotoEvent::PhotoUploadCompleted {}
        | PhotoEvent::PhotoProcessingStarted { .. }
        | PhotoEvent::PhotoProcessingCompleted { .. }
        | PhotoEvent::PhotoRejected { .. }
        | PhotoEvent::PhotoFailed { .. }
        | PhotoEvent::PhotoCancelled {}
        | PhotoEvent::PhotoRetried { .. }
        | PhotoEvent::PhotoCleaningStarted {}
        | PhotoEvent::PhotoCleaned {} => None,
    }
}
