use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventId, JobId, PhotoId, StreamId, Version,
    job::{JobCounts, JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
};

use super::{ReactError, Reactor};
use crate::{
    commit::{Decided, RetryPolicy, commit_with_retry},
    jobs::cancel_photo,
    ports::{
        Advance, AggregateState, Change, CommitError, Cursor, EventFilter, EventLog, EventMetadata, Guard,
        NewEvent, NonEmpty, Ports, StoredEvent, SubscriptionName, Unique, Versioned, WritePorts,
    },
    settings::WorkSettings,
};

/// Completes a job's round once all of its photos are in a final state, begins the next round when a photo is retried, and
/// cancels the remaining photos of a cancelled job.
pub struct JobCompletion {
    ports: WritePorts,
    log: Arc<dyn EventLog>,
    settings: WorkSettings,
}

/// Changes of one job in a page of the log.
#[derive(Debug, Default)]
struct JobChanges<'a> {
    /// Position of the last retry of a photo.
    retried: Option<Cursor>,
    /// The job's last cancellation.
    cancelled: Option<&'a StoredEvent>,
    /// The last event, which is the cause of the reaction.
    last: Option<&'a StoredEvent>,
}

/// Each concurrent change of a job or of its photos brings the job closer to its end. The ids of the events are derived
/// from the round: one that exists already means that another runner was faster.
const RETRY: RetryPolicy = RetryPolicy {
    is_retryable: |error| {
        matches!(
            error,
            CommitError::Conflict(_) | CommitError::Duplicate(Unique::EventId(_))
        )
    },
    ..RetryPolicy::on_conflict("the job", 32)
};

impl JobCompletion {
    /// Name of the subscription.
    pub const NAME: SubscriptionName = "job-completion";

    /// The reactor on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            log: Arc::clone(&ports.database.log),
            settings,
        }
    }

    async fn react_to(
        &self,
        job: JobId,
        changes: &JobChanges<'_>,
        advance: Advance,
    ) -> Result<bool, ReactError> {
        if let Some(cancelled) = changes.cancelled {
            self.cancel_photos(job, cancelled).await?;
        }
        commit_with_retry(&*self.ports.journal, RETRY, || async {
            let Some(before) = self.ports.aggregates.job(job).await? else {
                tracing::warn!(%job, "events of a job that does not exist");
                return Ok(Decided::Nothing(false));
            };
            let photos = self.ports.aggregates.photos_of_job(job).await?;
            let retried = self.retried_since_completion(&before.value, changes).await?;
            let events = decide(&before.value, &photos, retried);
            let Some(events) = NonEmpty::from_vec(events) else {
                return Ok(Decided::Nothing(false));
            };
            let mut commit = self.ports.commit(caused_by(changes.last));
            commit.guards = photos.iter().map(guard).collect();
            commit.checkpoint = Some(advance);
            commit.changes.push(change(&before, events));
            Ok(Decided::of(commit, true))
        })
        .await
    }

    /// Returns true if the round was completed before a photo was retried. The log's order shows it: a page may be
    /// read twice, and a retried photo may be in a final state again by then.
    async fn retried_since_completion(
        &self,
        job: &UploadJob,
        changes: &JobChanges<'_>,
    ) -> Result<bool, ReactError> {
        let (Some(retried), Some(_)) = (changes.retried, job.outcome) else {
            return Ok(false);
        };
        let events = self.log.events(StreamId::Job(job.id), Version::NEW).await?;
        let completed = events.iter().rev().find(|stored| {
            matches!(
                stored.event,
                DomainEvent::Job(JobEvent::UploadJobCompleted { .. })
            )
        });
        Ok(completed.is_some_and(|completed| completed.cursor < retried))
    }

    /// Cancels the photos that the cancelling request has left: its process may have crashed.
    async fn cancel_photos(&self, job: JobId, cancelled: &StoredEvent) -> Result<(), ReactError> {
        let current = self.ports.aggregates.job(job).await?;
        if !current.is_some_and(|job| job.value.cancelled) {
            return Ok(());
        }
        let metadata = caused_by(Some(cancelled));
        for photo in self.ports.aggregates.photos_of_job(job).await? {
            let open = !photo.value.status().is_terminal();
            if open && !self.retried_since(photo.value.id, cancelled.cursor).await? {
                cancel_photo(&self.ports, &self.settings, photo.value.id, &metadata).await?;
            }
        }
        Ok(())
    }

    /// Returns true if a photo was retried after the job was cancelled.
    async fn retried_since(&self, photo: PhotoId, cursor: Cursor) -> Result<bool, ReactError> {
        let events = self.log.events(StreamId::Photo(photo), Version::NEW).await?;
        Ok(events
            .iter()
            .any(|stored| stored.cursor > cursor && is_retry(&stored.event)))
    }
}

#[async_trait]
impl Reactor for JobCompletion {
    fn name(&self) -> SubscriptionName {
        Self::NAME
    }

    fn filter(&self) -> EventFilter {
        let wanted = [
            "PhotoProcessingCompleted",
            "PhotoRejected",
            "PhotoFailed",
            "PhotoCancelled",
            "PhotoRetried",
            "UploadJobCancelled",
        ];
        EventFilter {
            event_types: wanted.map(str::to_owned).into(),
            ..EventFilter::default()
        }
    }

    async fn react(&self, events: &[StoredEvent], advance: Advance) -> Result<bool, ReactError> {
        let jobs = gather(events);
        let mut left = jobs.len();
        let mut moved = false;
        for (job, changes) in &jobs {
            left -= 1;
            // Only the last commit advances the position, so that a crash in between skips no job.
            let to = if left == 0 { advance.to } else { advance.from };
            let wrote = self.react_to(*job, changes, Advance { to, ..advance }).await?;
            moved = wrote && left == 0;
        }
        Ok(moved)
    }
}

/// Groups events by job: a hundred photos that end together complete their job once.
fn gather(events: &[StoredEvent]) -> BTreeMap<JobId, JobChanges<'_>> {
    let mut jobs = BTreeMap::<JobId, JobChanges<'_>>::new();
    for stored in events {
        let Some(job) = stored.job else { continue };
        let changes = jobs.entry(job).or_default();
        changes.last = Some(stored);
        if is_retry(&stored.event) {
            changes.retried = Some(stored.cursor);
        } else if matches!(stored.event, DomainEvent::Job(JobEvent::UploadJobCancelled {})) {
            changes.cancelled = Some(stored);
        }
    }
    jobs
}

const fn is_retry(event: &DomainEvent) -> bool {
    matches!(event, DomainEvent::Photo(PhotoEvent::PhotoRetried { .. }))
}

/// The job's events that follow from its photos. A retried photo that is in a final state again begins a round and
/// completes it.
fn decide(job: &UploadJob, photos: &[Versioned<Photo>], retried: bool) -> Vec<NewEvent> {
    let counts = JobCounts::of(photos.iter().map(|photo| photo.value.status()));
    let mut events = Vec::new();
    let mut open = job.clone();
    if retried && let Ok(event) = job.reopen() {
        open = open.apply(&event);
        let id = UploadJob::reopening_id(job.id, open.round);
        events.push(new_event(id, event));
    }
    if let Ok(event) = open.complete(counts) {
        events.push(new_event(UploadJob::completion_id(job.id, open.round), event));
    }
    events
}

fn new_event(id: EventId, event: JobEvent) -> NewEvent {
    let event = event.into();
    NewEvent { id, event }
}

fn change(before: &Versioned<UploadJob>, events: NonEmpty<NewEvent>) -> Change {
    let after = events
        .iter()
        .fold(before.value.clone(), |job, new| match &new.event {
            DomainEvent::Job(event) => job.apply(event),
            DomainEvent::Photo(_) | DomainEvent::User(_) => job,
        });
    Change {
        stream: StreamId::Job(after.id),
        expected: before.version,
        events,
        state: AggregateState::Job(after),
    }
}

const fn guard(photo: &Versioned<Photo>) -> Guard {
    Guard {
        stream: StreamId::Photo(photo.value.id),
        version: photo.version,
    }
}

/// Metadata of a reaction: no actor, and the correlation of its cause.
fn caused_by(event: Option<&StoredEvent>) -> EventMetadata {
    EventMetadata {
        correlation_id: event.and_then(|event| event.metadata.correlation_id.clone()),
        causation_id: event.map(|event| event.id),
        traceparent: event.and_then(|event| event.metadata.traceparent.clone()),
        ..EventMetadata::default()
    }
}
