//! From a decision to what is written.

use rapidphoto_domain::{
    EventId, StreamId, Version,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
};

use crate::{
    ports::{AggregateState, Change, Commit, CommitError, Ids, Journal, NewEvent, Unavailable, Versioned},
    settings::WorkSettings,
    work::orders_after,
};

/// Adds what a photo's events write to a commit: the events, the state they lead to, the work they make necessary and
/// the details that go with the photo's end. Gives the photo after them.
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
            commit
                .details
                .push(crate::ports::Details::ErasePhoto { photo: photo.id });
        }
    }
    push(
        commit,
        StreamId::Photo(photo.id),
        before.version,
        named(events, ids),
        AggregateState::Photo(Box::new(photo.clone())),
    );
    photo
}

/// Adds a new photo's first event to a commit.
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
    push(
        commit,
        StreamId::Photo(photo.id),
        Version::NEW,
        named(vec![event], ids),
        AggregateState::Photo(Box::new(photo.clone())),
    );
    Some(photo)
}

/// Adds a job's event under a name that the caller chose: one that is derived is written once, whoever writes it.
pub(crate) fn record_job(
    commit: &mut Commit,
    before: &Versioned<UploadJob>,
    id: EventId,
    event: JobEvent,
) -> UploadJob {
    let job = before.value.clone().apply(&event);
    push(
        commit,
        StreamId::Job(job.id),
        before.version,
        vec![NewEvent {
            id,
            event: event.into(),
        }],
        AggregateState::Job(job.clone()),
    );
    job
}

/// Writes what was decided, and tells whether it is written: not if a stream has moved meanwhile, which asks for a decision
/// anew.
pub(crate) async fn write_unless_moved(journal: &dyn Journal, commit: Commit) -> Result<bool, Unavailable> {
    match journal.commit(commit).await {
        Ok(_) => Ok(true),
        Err(CommitError::Conflict(_)) => Ok(false),
        Err(other) => Err(other.into_unavailable()),
    }
}

/// A fresh event id.
pub(crate) fn event_id(ids: &dyn Ids) -> EventId {
    EventId::from_bits(ids.ulid())
}

fn named(events: Vec<PhotoEvent>, ids: &dyn Ids) -> Vec<NewEvent> {
    events
        .into_iter()
        .map(|event| NewEvent {
            id: event_id(ids),
            event: event.into(),
        })
        .collect()
}

fn push(
    commit: &mut Commit,
    stream: StreamId,
    expected: Version,
    events: Vec<NewEvent>,
    state: AggregateState,
) {
    commit.changes.push(Change {
        stream,
        expected,
        events,
        state,
    });
}
