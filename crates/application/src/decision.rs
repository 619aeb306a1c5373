//! Turns decided events into parts of a commit.

use rapidphoto_domain::{
    EventId, StreamId, Version,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
};

use crate::{
    ports::{AggregateState, Change, Commit, Details, Ids, NewEvent, NonEmpty, Versioned},
    settings::WorkSettings,
    work::orders_after,
};

/// Adds a photo's events to a commit, with the state they lead to, the work that they require and the erasure of the
/// details of a deleted photo. Returns the photo after the events. Without events it adds nothing.
pub(crate) fn record_photo(
    commit: &mut Commit,
    before: &Versioned<Photo>,
    events: Vec<PhotoEvent>,
    ids: &dyn Ids,
    settings: &WorkSettings,
) -> Photo {
    let mut photo = before.value.clone();
    for event in &events {
        photo = photo.apply(event);
        commit
            .work
            .extend(orders_after(&photo, event, commit.at, settings));
        if matches!(event, PhotoEvent::PhotoDeleted {}) {
            commit.details.push(Details::ErasePhoto { photo: photo.id });
        }
    }
    let events = events.into_iter().map(|event| NewEvent {
        id: event_id(ids),
        event: event.into(),
    });
    if let Some(events) = NonEmpty::from_vec(events.collect()) {
        commit.changes.push(Change {
            stream: StreamId::Photo(photo.id),
            expected: before.version,
            events,
            state: AggregateState::Photo(Box::new(photo.clone())),
        });
    }
    photo
}

/// Adds a new photo's first event to a commit, with the work that it requires. Returns the photo; `None` if the event
/// is not `PhotoQueued`.
pub(crate) fn record_new_photo(
    commit: &mut Commit,
    event: PhotoEvent,
    ids: &dyn Ids,
    settings: &WorkSettings,
) -> Option<Photo> {
    let photo = Photo::begin(&event).ok()?;
    commit
        .work
        .extend(orders_after(&photo, &event, commit.at, settings));
    commit.changes.push(Change {
        stream: StreamId::Photo(photo.id),
        expected: Version::NEW,
        events: NonEmpty::new(
            NewEvent {
                id: event_id(ids),
                event: event.into(),
            },
            [],
        ),
        state: AggregateState::Photo(Box::new(photo.clone())),
    });
    Some(photo)
}

/// Adds a job's event to a commit.
pub(crate) fn record_job(commit: &mut Commit, before: &Versioned<UploadJob>, event: JobEvent, ids: &dyn Ids) {
    let job = before.value.clone().apply(&event);
    commit.changes.push(Change {
        stream: StreamId::Job(job.id),
        expected: before.version,
        events: NonEmpty::new(
            NewEvent {
                id: event_id(ids),
                event: event.into(),
            },
            [],
        ),
        state: AggregateState::Job(job),
    });
}

/// Adds a new job's first event to a commit. Returns the job; `None` if the event is not `UploadJobCreated`.
pub(crate) fn record_new_job(commit: &mut Commit, event: JobEvent, ids: &dyn Ids) -> Option<UploadJob> {
    let job = UploadJob::begin(&event).ok()?;
    commit.changes.push(Change {
        stream: StreamId::Job(job.id),
        expected: Version::NEW,
        events: NonEmpty::new(
            NewEvent {
                id: event_id(ids),
                event: event.into(),
            },
            [],
        ),
        state: AggregateState::Job(job.clone()),
    });
    Some(job)
}

/// A fresh event id.
pub(crate) fn event_id(ids: &dyn Ids) -> EventId {
    EventId::from_bits(ids.ulid())
}
