use rapidphoto_domain::{
    Timestamp,
    photo::{FailureReason, Photo, PhotoEvent, PhotoStatus},
};

use crate::{
    ports::{Due, Priority, WorkKind, WorkOrder},
    settings::WorkSettings,
};

/// Work that an event schedules or drops, written in the event's own commit: a photo never waits for work that was not
/// scheduled.
///
/// `photo` is the photo after the event, `now` the time of the commit.
pub fn orders_after(
    photo: &Photo,
    event: &PhotoEvent,
    now: Timestamp,
    settings: &WorkSettings,
) -> Vec<WorkOrder> {
    let schedule = |kind, due, priority| WorkOrder::Schedule {
        photo: photo.id,
        owner: photo.owner,
        kind,
        due,
        priority,
    };
    let drop = |kind| WorkOrder::Drop {
        photo: photo.id,
        kind,
    };
    // A PUT that begins just before its URL expires takes some more time.
    let look_after_url = || {
        schedule(
            WorkKind::Look,
            Due::at(photo.window.url_expires_at + settings.look_grace, now),
            Priority::Fresh,
        )
    };
    match event {
        PhotoEvent::PhotoQueued { .. }
        | PhotoEvent::PhotoMultipartOpened { .. }
        | PhotoEvent::PhotoUploadRenewed { .. } => vec![look_after_url()],
        PhotoEvent::PhotoUploadCompleted {} => vec![schedule(WorkKind::Look, Due::Now, Priority::Fresh)],
        PhotoEvent::PhotoRetried {
            to: PhotoStatus::Queued,
            ..
        } => vec![drop(WorkKind::Clean), look_after_url()],
        PhotoEvent::PhotoRetried { .. } => {
            vec![
                drop(WorkKind::Clean),
                schedule(WorkKind::Look, Due::Now, Priority::Fresh),
            ]
        }
        PhotoEvent::PhotoProcessingStarted { .. } => {
            vec![
                drop(WorkKind::Look),
                schedule(WorkKind::Process, Due::Now, Priority::Fresh),
            ]
        }
        PhotoEvent::PhotoProcessingCompleted { .. } => vec![drop(WorkKind::Look), drop(WorkKind::Process)],
        PhotoEvent::PhotoRejected { .. } => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(
                WorkKind::Clean,
                Due::After(settings.keep_rejected),
                Priority::Bulk,
            ),
        ],
        PhotoEvent::PhotoFailed {
            reason: FailureReason::ProcessingError,
        } => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(WorkKind::Clean, Due::After(settings.keep_failed), Priority::Bulk),
        ],
        // An object whose PUT was answered 200 is never lost: it is looked for after the failure too, and `clean` work
        // is not due before these looks, however short the retention of failed photos is.
        PhotoEvent::PhotoFailed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => vec![
            schedule(
                WorkKind::Look,
                Due::at(after_last_url(photo, FIRST_LATE_LOOK_DELAY), now),
                Priority::Bulk,
            ),
            schedule(
                WorkKind::Clean,
                Due::at(
                    after_last_url(photo, LAST_LATE_LOOK_DELAY + LATE_LOOK_MARGIN)
                        .max(now + settings.keep_failed),
                    now,
                ),
                Priority::Bulk,
            ),
        ],
        PhotoEvent::PhotoCancelled {} | PhotoEvent::PhotoDeleted {} => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(WorkKind::Clean, Due::Now, Priority::Bulk),
        ],
        PhotoEvent::PhotoUploadStarted {}
        | PhotoEvent::PhotoTagged { .. }
        | PhotoEvent::PhotoCleaningStarted {}
        | PhotoEvent::PhotoCleaned {}
        | PhotoEvent::PhotoUntagged { .. } => Vec::new(),
    }
}

/// Delay of the first additional look or cleaning after the expiry of a photo's last upload URL.
pub(crate) const FIRST_LATE_LOOK_DELAY: std::time::Duration = std::time::Duration::from_hours(1);
/// Delay of the last additional look or cleaning after the expiry of a photo's last upload URL.
pub(crate) const LAST_LATE_LOOK_DELAY: std::time::Duration = std::time::Duration::from_hours(24);

/// Time reserved for the last look before `clean` work is due; the look may wait in a long queue.
const LATE_LOOK_MARGIN: std::time::Duration = std::time::Duration::from_hours(1);

/// Time `delay` after the expiry of the last upload URL that was issued for a photo.
pub(crate) fn after_last_url(photo: &Photo, delay: std::time::Duration) -> Timestamp {
    photo.window.url_expires_at + delay
}
