//! Helpers of several test modules.

pub(crate) mod accounts;
pub(crate) mod jobs;
pub(crate) mod live;
pub(crate) mod parts;
pub(crate) mod progress;
pub(crate) mod recording_journal;
pub(crate) mod worker;

use rapidphoto_application::{
    jobs::{RetryPhoto, RetryPhotoHandler},
    ports::{AggregateState, Change, Commit, EventMetadata, Ids, NewEvent, NonEmpty, Versioned},
    work::orders_after,
};
use rapidphoto_domain::{
    EventId, JobId, PhotoId,
    job::{JobEvent, JobStatus},
    photo::{Check, Photo, PhotoCommand, PhotoState},
};
use rapidphoto_memory::{DeclaredPhoto, TestApp};

/// Number of events that match.
pub(crate) fn count<E>(events: &[E], is_counted: impl Fn(&E) -> bool) -> usize {
    events.iter().filter(|event| is_counted(event)).count()
}

/// Photo whose object is stored and whose storage event is delivered, so that work on it is due.
pub(crate) async fn photo_with_due_work(app: &TestApp) -> DeclaredPhoto {
    let declared = app.declare_one().await;
    assert_eq!(app.put(&declared).status, 200);
    app.deliver_storage_events().await;
    declared
}

/// Failed checks of a rejected photo.
pub(crate) async fn rejection_reasons(app: &TestApp, photo: PhotoId) -> Vec<Check> {
    match app.photo(photo).await.state {
        PhotoState::Rejected { reasons } => reasons.into_iter().map(|finding| finding.check).collect(),
        state => panic!("{state:?}"),
    }
}

/// Retries a failed photo.
pub(crate) async fn retry(app: &TestApp, declared: &DeclaredPhoto) {
    let command = RetryPhoto {
        owner: app.owner,
        photo: declared.photo,
        metadata: EventMetadata::default(),
    };
    let handler = RetryPhotoHandler::new(&app.ports, &app.settings);
    handler.handle(command).await.unwrap();
}

/// Round and status of each completion of a job.
pub(crate) async fn completions(app: &TestApp, job: JobId) -> Vec<(u32, JobStatus)> {
    let events = app.job_events(job).await;
    let completions = events.into_iter().filter_map(|event| match event {
        JobEvent::UploadJobCompleted { round, status, .. } => Some((round, status)),
        _ => None,
    });
    completions.collect()
}

/// Commit of a command to a photo, for commands that no use case sends.
pub(crate) fn photo_commit(app: &TestApp, before: &Versioned<Photo>, command: PhotoCommand) -> Commit {
    let events = before.value.decide(command).unwrap();
    let mut commit = Commit::new(app.now(), EventMetadata::default());
    let mut photo = before.value.clone();
    for event in &events {
        photo = photo.apply(event);
        let orders = orders_after(&photo, event, app.now(), &app.settings.work);
        commit.work.extend(orders);
    }
    let events = events.into_iter().map(|event| NewEvent {
        id: EventId::from_bits(app.ids.ulid()),
        event: event.into(),
    });
    commit.changes.push(Change {
        stream: photo.id.into(),
        expected: before.version,
        events: NonEmpty::from_vec(events.collect()).unwrap(),
        state: AggregateState::Photo(Box::new(photo)),
    });
    commit
}
