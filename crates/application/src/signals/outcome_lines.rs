//! Log lines of the target `outcomes`: jobs that are created or end, photos that end or are retried. `job`, `photo` and
//! `user` are the same in each; the span has the id of the request, or the durations that the worker has measured.

use std::time::Duration;

use rapidphoto_domain::{
    DomainEvent, StreamId, Timestamp, Version,
    job::{JobEvent, UploadJob},
    photo::{Photo, PhotoEvent, PhotoStatus, RetryCause},
};

use crate::ports::{AggregateState, Commit, EventLog};

/// Lines about one commit, gathered before the commit is passed on by value.
pub(super) struct OutcomeLines {
    at: Timestamp,
    jobs: Vec<(JobEvent, UploadJob)>,
    photos: Vec<ChangedPhoto>,
}

/// A photo with an event that leads to a final state or out of one.
struct ChangedPhoto {
    photo: Photo,
    version_before: Version,
    events: Vec<PhotoEvent>,
}

/// Course of a photo's last round: from its declaration, or from its last retry.
#[derive(Default)]
struct Course {
    began: Option<Timestamp>,
    /// All bytes had arrived.
    uploaded: Option<Timestamp>,
    /// HEAD agreed with the declaration.
    verified: Option<Timestamp>,
    /// Size of the object that HEAD reported.
    bytes: Option<u64>,
}

impl Course {
    fn add(&mut self, event: &PhotoEvent, at: Timestamp) {
        match event {
            PhotoEvent::PhotoQueued { .. } => self.began = Some(at),
            PhotoEvent::PhotoUploadCompleted {} => self.uploaded = Some(at),
            PhotoEvent::PhotoProcessingStarted { object } => {
                self.verified = Some(at);
                self.bytes = Some(object.bytes);
            }
            PhotoEvent::PhotoRetried { to, .. } => {
                *self = Self {
                    began: Some(at),
                    uploaded: (*to == PhotoStatus::Verifying).then_some(at),
                    ..Self::default()
                }
            }
            _ => {}
        }
    }
}

/// Target of the lines, for the log's filter.
const TARGET: &str = "outcomes";

impl OutcomeLines {
    /// Lines about `commit`; none if the log's filter drops them.
    pub(super) fn of(commit: &Commit) -> Self {
        let mut lines = Self {
            at: commit.at,
            jobs: Vec::new(),
            photos: Vec::new(),
        };
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return lines;
        }
        for change in &commit.changes {
            match &change.state {
                AggregateState::Job(job) => {
                    let events = change.events.iter().filter_map(|new| match &new.event {
                        DomainEvent::Job(event) => Some((event.clone(), job.clone())),
                        DomainEvent::Photo(_) | DomainEvent::User(_) => None,
                    });
                    lines.jobs.extend(events);
                }
                AggregateState::Photo(photo) => {
                    let events = change.events.iter().filter_map(|new| match &new.event {
                        DomainEvent::Photo(event) => Some(event.clone()),
                        DomainEvent::Job(_) | DomainEvent::User(_) => None,
                    });
                    let events: Vec<_> = events.collect();
                    if events.iter().any(|event| ends(event) || retries(event).is_some()) {
                        lines.photos.push(ChangedPhoto {
                            photo: (**photo).clone(),
                            version_before: change.expected,
                            events,
                        });
                    }
                }
                AggregateState::User(_) => {}
            }
        }
        lines
    }

    /// Writes the lines. `log` has the earlier events of photos whose work has ended, for the durations.
    pub(super) async fn write(self, log: &dyn EventLog) {
        for (event, job) in &self.jobs {
            write_job(event, job, self.at);
        }
        for changed in &self.photos {
            // Photos that are cancelled may be many in one commit, and nobody asks why they took long.
            let course = if changed.photo.status() == PhotoStatus::Cancelled {
                Course::default()
            } else {
                changed.course(log, self.at).await
            };
            changed.write(&course, self.at);
        }
    }
}

impl ChangedPhoto {
    async fn course(&self, log: &dyn EventLog, at: Timestamp) -> Course {
        let stored = log.events(StreamId::Photo(self.photo.id), Version::NEW).await;
        let mut course = Course::default();
        // Without the log the line has no durations.
        for stored in stored.unwrap_or_default() {
            if let DomainEvent::Photo(event) = &stored.event
                && stored.version <= self.version_before
            {
                course.add(event, stored.occurred_at);
            }
        }
        for event in &self.events {
            course.add(event, at);
        }
        course
    }

    fn write(&self, course: &Course, at: Timestamp) {
        let Photo { id, job, owner, .. } = &self.photo;
        for event in &self.events {
            if let Some(cause) = retries(event) {
                let cause = match cause {
                    RetryCause::ObjectArrived => "object_arrived",
                    RetryCause::Renewed => "renewed",
                    RetryCause::Requested => "requested",
                };
                tracing::info!(target: TARGET, photoId = %id, jobId = %job, userId = %owner, cause, "photo is retried");
            }
            if ends(event) {
                let between =
                    |from: Option<Timestamp>, to: Option<Timestamp>| Some(millis(from?, to.unwrap_or(at)));
                let reasons = reasons(event);
                tracing::info!(
                    target: TARGET,
                    photoId = %id,
                    jobId = %job,
                    userId = %owner,
                    status = self.photo.status().as_str(),
                    reasons = (!reasons.is_empty()).then_some(reasons),
                    bytes = course.bytes.unwrap_or(self.photo.declared.bytes),
                    upload_ms = between(course.began, course.uploaded),
                    verify_ms = between(course.uploaded, course.verified),
                    process_ms = between(course.verified, None),
                    "photo ended"
                );
            }
        }
    }
}

fn write_job(event: &JobEvent, job: &UploadJob, at: Timestamp) {
    let (id, user) = (job.id, job.owner);
    match event {
        JobEvent::UploadJobCreated {
            photo_count,
            bytes_total,
            ..
        } => tracing::info!(
            target: TARGET, jobId = %id, userId = %user, photos = photo_count, bytes = bytes_total, "upload job created"
        ),
        JobEvent::UploadJobCompleted {
            round,
            status,
            counts,
            ..
        } => tracing::info!(
            target: TARGET,
            jobId = %id,
            userId = %user,
            status = status.as_str(),
            round,
            photos = job.photo_count,
            completed = counts.completed,
            rejected = counts.rejected,
            failed = counts.failed,
            cancelled = counts.cancelled,
            // The id of a job has the time of its creation.
            total_ms = unix_millis(at).saturating_sub(u64::try_from(id.bits() >> 80).unwrap_or(u64::MAX)),
            "upload job ended"
        ),
        JobEvent::UploadJobReopened { round } => {
            tracing::info!(target: TARGET, jobId = %id, userId = %user, round, "upload job is open again");
        }
        JobEvent::UploadJobCancelled {} => {
            tracing::info!(target: TARGET, jobId = %id, userId = %user, "upload job is cancelled");
        }
    }
}

const fn ends(event: &PhotoEvent) -> bool {
    matches!(
        event,
        PhotoEvent::PhotoProcessingCompleted { .. }
            | PhotoEvent::PhotoRejected { .. }
            | PhotoEvent::PhotoFailed { .. }
            | PhotoEvent::PhotoCancelled {}
    )
}

const fn retries(event: &PhotoEvent) -> Option<RetryCause> {
    match event {
        PhotoEvent::PhotoRetried { cause, .. } => Some(*cause),
        _ => None,
    }
}

/// Codes of the reasons, with commas between them.
fn reasons(event: &PhotoEvent) -> String {
    match event {
        PhotoEvent::PhotoRejected { reasons } => {
            let codes: Vec<_> = reasons.iter().map(|finding| finding.check.code()).collect();
            codes.join(",")
        }
        PhotoEvent::PhotoFailed { reason } => reason.code().to_owned(),
        _ => String::new(),
    }
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    let duration: Duration = (to - from).to_std().unwrap_or_default();
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn unix_millis(at: Timestamp) -> u64 {
    u64::try_from(at.timestamp_millis()).unwrap_or_default()
}
