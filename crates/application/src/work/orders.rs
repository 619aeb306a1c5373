use rapidphoto_domain::{
    Timestamp,
    photo::{FailureReason, Photo, PhotoEvent, PhotoStatus},
};

use crate::{
    ports::{Priority, WorkKind, WorkOrder},
    settings::WorkSettings,
};

/// The work that an event makes necessary, and the work that it makes void: written by the event's own commit, so that
/// no state ever waits for work that nobody holds.
///
/// `photo` is the photo after the event.
pub fn orders_after(
    photo: &Photo,
    event: &PhotoEvent,
    now: Timestamp,
    settings: &WorkSettings,
) -> Vec<WorkOrder> {
    let schedule = |kind, due_at, priority| WorkOrder::Schedule {
        photo: photo.id,
        owner: photo.owner,
        kind,
        due_at,
        priority,
    };
    let drop = |kind| WorkOrder::Drop {
        photo: photo.id,
        kind,
    };
    // A PUT that begins just before its URL ends is still on its way for a while.
    let look_after_url = || {
        schedule(
            WorkKind::Look,
            photo.window.url_expires_at + settings.look_grace,
            Priority::Fresh,
        )
    };
    match event {
        PhotoEvent::PhotoQueued { .. } | PhotoEvent::PhotoUploadRenewed { .. } => vec![look_after_url()],
        PhotoEvent::PhotoUploadCompleted {} => vec![schedule(WorkKind::Look, now, Priority::Fresh)],
        PhotoEvent::PhotoRetried {
            to: PhotoStatus::Queued,
            ..
        } => vec![drop(WorkKind::Clean), look_after_url()],
        PhotoEvent::PhotoRetried { .. } => {
            vec![
                drop(WorkKind::Clean),
                schedule(WorkKind::Look, now, Priority::Fresh),
            ]
        }
        PhotoEvent::PhotoProcessingStarted { .. } => {
            vec![
                drop(WorkKind::Look),
                schedule(WorkKind::Process, now, Priority::Fresh),
            ]
        }
        PhotoEvent::PhotoProcessingCompleted { .. } => vec![drop(WorkKind::Look), drop(WorkKind::Process)],
        PhotoEvent::PhotoRejected { .. } => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(WorkKind::Clean, now + settings.keep_rejected, Priority::Bulk),
        ],
        PhotoEvent::PhotoFailed {
            reason: FailureReason::ProcessingError,
        } => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(WorkKind::Clean, now + settings.keep_failed, Priority::Bulk),
        ],
        // A PUT that was answered 200 is never lost: the object is looked for after the failure, too, and nothing is
        // cleaned up before that, however short failed photos are kept.
        PhotoEvent::PhotoFailed {
            reason: FailureReason::UploadMissing | FailureReason::UploadExpired,
        } => vec![
            schedule(
                WorkKind::Look,
                after_last_url(photo, FIRST_LATE_LOOK).max(now),
                Priority::Bulk,
            ),
            schedule(
                WorkKind::Clean,
                after_last_url(photo, LAST_LATE_LOOK + LOOKED).max(now + settings.keep_failed),
                Priority::Bulk,
            ),
        ],
        PhotoEvent::PhotoCancelled {} | PhotoEvent::PhotoDeleted {} => vec![
            drop(WorkKind::Look),
            drop(WorkKind::Process),
            schedule(WorkKind::Clean, now, Priority::Bulk),
        ],
        PhotoEvent::PhotoUploadStarted {}
        | PhotoEvent::PhotoTagged { .. }
        | PhotoEvent::PhotoUntagged { .. } => Vec::new(),
    }
}

/// How long after the last URL's end an object is looked for, or cleaned up, again: first and last time.
pub(crate) const FIRST_LATE_LOOK: std::time::Duration = std::time::Duration::from_hours(1);
/// See [`FIRST_LATE_LOOK`].
pub(crate) const LAST_LATE_LOOK: std::time::Duration = std::time::Duration::from_hours(24);

/// The last late look is over by then, be the queue long.
const LOOKED: std::time::Duration = std::time::Duration::from_hours(1);

/// A moment after the last URL that was handed out for a photo has ended.
pub(crate) fn after_last_url(photo: &Photo, pause: std::time::Duration) -> Timestamp {
    photo.window.url_expires_at + pause
}
