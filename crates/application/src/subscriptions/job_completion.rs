use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use rapidphoto_domain::{
    DomainEvent, EventId, JobId, StreamId, Version,
    job::{JobCounts, JobEvent, UploadJob},
    photo::{Photo, PhotoEvent},
};
use tracing::{Instrument as _, field};

use super::{ReactError, Reactor};
use crate::{
    batch::PhotoBatch,
    commit::{Decided, RetryPolicy, commit_with_retry},
    jobs::cancel_photos,
    ports::{
        Advance, AggregateState, Change, CommitError, Cursor, DatabasePorts, EventFilter, EventLog,
        EventMetadata, Guard, NewEvent, NonEmpty, PhotoReads, Ports, StoredEvent, SubscriptionName, Unique,
        Versioned, WritePorts,
    },
    settings::WorkSettings,
    trace,
};

/// Completes a job's round once all of its photos are in a final state, begins the next round when a photo is retried, and
/// cancels the remaining photos of a cancelled job.
///
/// Events only say which jobs to look at. The decision on a round compares the photos' retries with those that the last
/// outcome includes, not positions of the log: with several writers the order of positions is not the order in which
/// commits saw each other. Only the cancellation of a job's remaining photos compares positions, see `retried_since`.
pub struct JobCompletion {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    log: Arc<dyn EventLog>,
    settings: WorkSettings,
}

/// Changes of one job in a page of the log.
#[derive(Debug, Default)]
struct JobChanges<'a> {
    /// True if a photo was retried.
    retried: bool,
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
        Self::on(&ports.database, ports.write_ports(), settings)
    }

    /// The reactor on a database, writing through these ports.
    pub fn on(database: &DatabasePorts, ports: WritePorts, settings: WorkSettings) -> Self {
        Self {
            ports,
            photos: Arc::clone(&database.photos),
            log: Arc::clone(&database.log),
            settings,
        }
    }

    /// Completes a job, or begins its next round. `open` is true if a photo of the job was open when the page was read.
    /// Returns true if `advance` was committed.
    async fn complete(
        &self,
        job: JobId,
        open: bool,
        changes: &JobChanges<'_>,
        advance: Advance,
    ) -> Result<bool, ReactError> {
        commit_with_retry(&*self.ports.journal, RETRY, || async {
            let Some(before) = self.ports.aggregates.job(job).await? else {
                tracing::warn!(jobId = %job, "events of a job that does not exist");
                return Ok(Decided::Nothing(false));
            };
            // The round goes on. Its photos are not read; the event that ends the last one is still to come.
            if open && before.value.outcome.is_none() {
                return Ok(Decided::Nothing(false));
            }
            let photos = self.ports.aggregates.photos_of_job(job).await?;
            let Some(events) = NonEmpty::from_vec(decide(&before.value, &photos)) else {
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

    /// Cancels the photos that the cancelling request has left.
    async fn cancel_photos(
        &self,
        job: JobId,
        cancelled: &StoredEvent,
        advance: Advance,
    ) -> Result<(), ReactError> {
        let current = self.ports.aggregates.job(job).await?;
        if !current.is_some_and(|job| job.value.cancelled) {
            return Ok(());
        }
        let mut open = Vec::new();
        for photo in self.ports.aggregates.photos_of_job(job).await? {
            let photo = photo.value;
            if !photo.status().is_terminal() && !self.retried_since(&photo, cancelled.cursor).await? {
                open.push(photo.id);
            }
        }
        let batch = PhotoBatch {
            ports: &self.ports.fenced(advance),
            reads: &*self.photos,
            settings: &self.settings,
            owner: cancelled.owner,
            metadata: &caused_by(Some(cancelled)),
        };
        Ok(cancel_photos(&batch, &open).await?)
    }

    /// Returns true if a photo was retried after the job was cancelled. Positions suffice here: a retry that begins after
    /// the cancellation is committed comes later in the log, and one that is concurrent may be cancelled or not.
    async fn retried_since(&self, photo: &Photo, cursor: Cursor) -> Result<bool, ReactError> {
        if photo.retries == 0 {
            return Ok(false);
        }
        let events = self.log.events(StreamId::Photo(photo.id), Version::NEW).await?;
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
        let ids: Vec<JobId> = jobs.keys().copied().collect();
        let open = self.ports.aggregates.open_jobs(&ids).await?;
        let mut left = jobs.len();
        let mut moved = false;
        for (job, changes) in &jobs {
            left -= 1;
            let stay = Advance {
                to: advance.from,
                ..advance
            };
            // Only the last commit advances the position, so that a crash in between skips no job.
            let advance = if left == 0 { advance } else { stay };
            let open = open.contains(job);
            if let Some(cancelled) = changes.cancelled.filter(|_| open) {
                self.cancel_photos(*job, cancelled, stay).await?;
            }
            // Most pages end here: the job is in progress, and none of its photos is read. The event that ends its last
            // open photo is still to come.
            if open && !changes.retried {
                continue;
            }
            let span = tracing::info_span!("job_completion", jobId = %job, traceId = field::Empty);
            let traceparent = changes
                .last
                .and_then(|event| event.metadata.traceparent.as_deref());
            trace::follow(&span, traceparent);
            let completion = self.complete(*job, open, changes, advance);
            let wrote = completion.instrument(span).await?;
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
            changes.retried = true;
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
fn decide(job: &UploadJob, photos: &[Versioned<Photo>]) -> Vec<NewEvent> {
    let counts = JobCounts::of(photos.iter().map(|photo| photo.value.status()));
    let retries = photos
        .iter()
        .fold(0, |sum: u32, photo| sum.saturating_add(photo.value.retries));
    let mut events = Vec::new();
    let mut open = job.clone();
    if let Ok(event) = job.reopen(retries) {
        open = open.apply(&event);
        let id = UploadJob::reopening_id(job.id, open.round);
        events.push(new_event(id, event));
    }
    if let Ok(event) = open.complete(counts, retries) {
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
