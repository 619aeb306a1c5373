use metrics::counter;
use rapidphoto_domain::{
    DomainEvent,
    job::{JobEvent, JobStatus},
    photo::{Check, FailureReason, PhotoEvent},
};

use crate::ports::Commit;

/// Counter increments for the events of a commit, computed before the commit is passed on by value.
pub(super) struct EventCounts(Vec<CountedEvent>);

enum CountedEvent {
    JobCreated,
    JobCompleted(JobStatus),
    PhotoQueued,
    PhotoCompleted,
    PhotoRejected(Check),
    PhotoFailed(FailureReason),
    PhotoCancelled,
    PhotoRetried,
}

impl EventCounts {
    /// Sets all counters to 0 that do not exist yet: an absent one looks like a broken one, and a rate needs two values.
    pub(super) fn register() {
        let events = [
            CountedEvent::JobCreated,
            CountedEvent::PhotoQueued,
            CountedEvent::PhotoCompleted,
            CountedEvent::PhotoCancelled,
            CountedEvent::PhotoRetried,
        ];
        let statuses = [
            JobStatus::Completed,
            JobStatus::CompletedWithErrors,
            JobStatus::Failed,
            JobStatus::Cancelled,
        ];
        let events = events
            .into_iter()
            .chain(statuses.map(CountedEvent::JobCompleted))
            .chain(Check::ALL.map(CountedEvent::PhotoRejected))
            .chain(FailureReason::ALL.map(CountedEvent::PhotoFailed));
        for event in events {
            event.count(0);
        }
    }

    pub(super) fn of(commit: &Commit) -> Self {
        let events = commit.changes.iter().flat_map(|change| &change.events);
        Self(events.filter_map(|new| counted(&new.event)).collect())
    }

    pub(super) fn record(self) {
        for event in self.0 {
            event.count(1);
        }
    }
}

impl CountedEvent {
    fn count(self, times: u64) {
        let counter = match self {
            Self::JobCreated => counter!("upload_job_created_total"),
            Self::JobCompleted(status) => counter!("upload_job_completed_total", "status" => status.as_str()),
            Self::PhotoQueued => counter!("photo_queued_total"),
            Self::PhotoCompleted => counter!("photo_completed_total"),
            Self::PhotoRejected(check) => counter!("photo_rejected_total", "reason" => check.code()),
            Self::PhotoFailed(reason) => counter!("photo_failed_total", "reason" => reason.code()),
            Self::PhotoCancelled => counter!("photo_cancelled_total"),
            Self::PhotoRetried => counter!("photo_retried_total"),
        };
        counter.increment(times);
    }
}

fn counted(event: &DomainEvent) -> Option<CountedEvent> {
    match event {
        DomainEvent::User(_) => None,
        DomainEvent::Job(event) => match event {
            JobEvent::UploadJobCreated { .. } => Some(CountedEvent::JobCreated),
            JobEvent::UploadJobCompleted { status, .. } => Some(CountedEvent::JobCompleted(*status)),
            JobEvent::UploadJobReopened { .. } | JobEvent::UploadJobCancelled {} => None,
        },
        DomainEvent::Photo(event) => match event {
            PhotoEvent::PhotoQueued { .. } => Some(CountedEvent::PhotoQueued),
            PhotoEvent::PhotoProcessingCompleted { .. } => Some(CountedEvent::PhotoCompleted),
            // Only the first reason is counted, so that the sum over all reasons is the number of photos.
            PhotoEvent::PhotoRejected { reasons } => reasons
                .first()
                .map(|finding| CountedEvent::PhotoRejected(finding.check)),
            PhotoEvent::PhotoFailed { reason } => Some(CountedEvent::PhotoFailed(*reason)),
            PhotoEvent::PhotoCancelled {} => Some(CountedEvent::PhotoCancelled),
            PhotoEvent::PhotoRetried { .. } => Some(CountedEvent::PhotoRetried),
            PhotoEvent::PhotoUploadStarted {}
            | PhotoEvent::PhotoMultipartOpened { .. }
            | PhotoEvent::PhotoUploadRenewed { .. }
            | PhotoEvent::PhotoUploadCompleted {}
            | PhotoEvent::PhotoProcessingStarted { .. }
            | PhotoEvent::PhotoTagged { .. }
            | PhotoEvent::PhotoUntagged { .. }
            | PhotoEvent::PhotoCleaningStarted {}
            | PhotoEvent::PhotoCleaned {}
            | PhotoEvent::PhotoDeleted {} => None,
        },
    }
}
